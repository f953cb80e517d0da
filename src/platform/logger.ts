import { fstatSync } from 'node:fs';
import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger };

/** From the most to nothing. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/**
 * Structured JSON on standard error, one object a line; pretty on a terminal. Standard output stays free for what a
 * command prints. Never hand it dump bytes or credentials: what is named here is cut out as a second line of defence.
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

/** Lines that wait while the log cannot be written; then new ones are dropped. */
const MAX_WAITING_CHARACTERS = 1024 * 1024;

/**
 * A log that cannot be written (its disk is full, its reader has gone) must not end the server, and one whose reader has
 * stopped reading must not hold it up: what waits is written later, and beyond a limit new lines are dropped.
 */
function standardError(): DestinationStream {
  const stream = destination({ fd: 2, sync: !hasReader(2), maxLength: MAX_WAITING_CHARACTERS });
  stream.on('error', () => {});
  return stream;
}

/** A pipe or socket, whose other end may let us wait; a file never does. */
function hasReader(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false;
  }
}
