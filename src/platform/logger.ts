import { fstatSync } from 'node:fs';
import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger };

/** From most verbose to off. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/**
 * Structured JSON on standard error, one object per line; formatted on a terminal. Standard output is for the results
 * of commands. Never log dump bytes or credentials: the redacted fields below are only a second line of defence.
 */
export function createLogger({ logLevel }: { logLevel: LogLevel }): Logger {
  const options = {
    level: logLevel,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: ['authorization', '*.authorization', 'token', '*.token'],
  };
  if (process.stderr.isTTY) {
    return pino({ ...options, transport: { target: 'pino-pretty', options: { destination: 2 } } });
  }
  return pino(options, standardError());
}

/** Most lines that wait while the log cannot be written; beyond it new lines are dropped. */
const MAX_WAITING_CHARACTERS = 1024 * 1024;

/**
 * A log that cannot be written (full disk, closed reader) must not end the server, and a reader that has stopped
 * reading must not block it: lines are buffered, and beyond a limit new lines are dropped.
 */
function standardError(): DestinationStream {
  const stream = destination({ fd: 2, sync: !hasReader(2), maxLength: MAX_WAITING_CHARACTERS });
  stream.on('error', () => {});
  return stream;
}

/** A pipe or socket, whose reader may block; a file never does. */
function hasReader(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false;
  }
}
