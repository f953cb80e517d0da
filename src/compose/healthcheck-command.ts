import type { Config } from '../config/settings.js';
import { askReadiness } from './readiness.js';

/**
 * `coredock healthcheck`: for containers and scripts, in the environment of a running server.
 *
 * @returns the exit code: 0 when the server accepts uploads, else 1
 */
export async function healthcheckCommand(
  { host, port }: Pick<Config, 'host' | 'port'>,
  { say, complain }: { say: (line: string) => void; complain: (line: string) => void },
): Promise<0 | 1> {
  if (port === 0) {
    complain('PORT: with 0 the server listens on any free port, which cannot be known here; set a port');
    return 1;
  }
  const { isReady, text } = await askReadiness({ host, port });
  (isReady ? say : complain)(text);
  return isReady ? 0 : 1;
}
