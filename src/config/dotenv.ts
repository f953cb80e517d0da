import { config } from 'dotenv';
import { ConfigError } from './settings.js';

/**
 * Adds the variables of `.env`, where there is one, to the environment; what is set already stays.
 *
 * @throws ConfigError when it is there and cannot be read: a start without its tokens would be open to everybody
 */
export function readDotenv(): void {
  const error = config({ quiet: true }).error as NodeJS.ErrnoException | undefined;
  if (error === undefined || error.code === 'ENOENT') return;
  throw new ConfigError([
    `.env cannot be read (${error.code ?? error.message}), and its settings would be missing; give it to the user that ` +
      'runs this command, or move it away',
  ]);
}
