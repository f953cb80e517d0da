import { fstatSync } from 'node:fs';
import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger };

/** From most verbose to off. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** The log of a process: structured JSON, formatted where standard error is a terminal. */
export async function openLog({ logLevel }: { logLevel: LogLevel }): Promise<Logger> {
  if (!process.stderr.isTTY) return createLogger({ logLevel });
  const { default: pretty } = await import('pino-pretty');
  return pino(optionsOf(logLevel), pretty({ destination: 2 }));
}

/**
 * Structured JSON on standard error, one object per line. Standard output is for the results of commands. Never log
 * dump bytes or credentials: the redacted fields below are only a second line of defence.
 */
export function createLogger({ logLevel }: { logLevel: LogLevel }): Logger {
  return pino(optionsOf(logLevel), standardError());
}

function optionsOf(level: LogLevel) {
  return {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: ['authorization', '*.authorization', 'token', '*.token'],
  };
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
