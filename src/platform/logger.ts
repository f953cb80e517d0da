import { destination, type Logger, pino } from 'pino';
import type { Config } from '../config.js';

export type { Logger };

/**
 * Structured JSON on standard error, one object a line; pretty on a terminal. Standard output stays free for what a
 * command prints. Never hand it dump bytes or credentials: what is named here is cut out as a second line of defence.
 */
export function createLogger({ logLevel }: Pick<Config, 'logLevel'>): Logger {
  const options = {
    level: logLevel,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: ['authorization', '*.authorization', 'token', '*.token'],
  };
  if (process.stderr.isTTY) {
    return pino({ ...options, transport: { target: 'pino-pretty', options: { destination: 2 } } });
  }
  return pino(options, destination({ fd: 2, sync: true }));
}
