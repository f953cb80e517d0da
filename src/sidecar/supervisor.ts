import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../platform/logger.js';
import { type SidecarProcess, startSidecarProcess } from './sidecar-process.js';

interface SupervisedSidecar {
  /** The sidecar's URL, also during a restart. Changes only if another program has taken its port meanwhile. */
  url(): string;
  /** How often it ended and was started again. */
  restarts(): number;
  /** Ends the sidecar and waits until it has ended. */
  close(): Promise<void>;
}

/** Shorter than the server's first pause before a parse is tried again, so that the new sidecar is ready by then. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
/** After this running time the end of a sidecar does not count as a failure in a row. */
const STABLE_AFTER_MS = 60_000;

/**
 * Runs the bundled sidecar as a child process and starts a new one when it ends, after a pause that doubles with each
 * failure in a row. The child ends with this process, however this process ends.
 *
 * @param cliPath the built `cli.js`
 * @param stop cancels the first start; use `close` for later ones
 * @throws Error with one clear sentence when the first start fails
 */
export async function superviseSidecar({
  cliPath,
  xferDir,
  log,
  stop,
}: {
  cliPath: string;
  xferDir: string;
  log: Logger;
  stop?: AbortSignal;
}): Promise<SupervisedSidecar> {
  const stopping = new AbortController();
  const giveUp = () => stopping.abort();
  const start = (port: number) => startSidecarProcess({ cliPath, xferDir, port, log, stop: stopping.signal });

  stop?.addEventListener('abort', giveUp, { once: true });
  if (stop?.aborted === true) giveUp();
  let restarts = 0;
  let current = await start(0).finally(() => stop?.removeEventListener('abort', giveUp));
  const watching = keepRunning();
  return {
    url: () => current.url,
    restarts: () => restarts,
    async close() {
      stopping.abort();
      await watching;
    },
  };

  async function keepRunning(): Promise<void> {
    let failures = 0;
    for (;;) {
      log.info({ sidecar: current.url, pid: current.pid }, 'parse sidecar is up');
      const startedAt = performance.now();
      const how = await current.ended;
      if (stopping.signal.aborted) return;
      log.error({ how }, 'the parse sidecar ended; it is restarted');
      if (performance.now() - startedAt >= STABLE_AFTER_MS) failures = 0;
      const next = await restart();
      if (next === null) return;
      current = next;
      restarts += 1;
    }

    /** @returns null when it was closed */
    async function restart(): Promise<SidecarProcess | null> {
      // The URL is in use elsewhere, so the port is kept; after a failed start the port itself may be the problem.
      let port = Number(new URL(current.url).port);
      for (;;) {
        await sleep(pauseAfter(failures), undefined, { signal: stopping.signal }).catch(() => {});
        if (stopping.signal.aborted) return null;
        failures += 1;
        try {
          return await start(port);
        } catch (error) {
          if (stopping.signal.aborted) return null;
          log.error({ err: error }, 'the parse sidecar did not start; the start is repeated');
          port = 0;
        }
      }
    }
  }
}

/** Exponential, with random jitter of up to half, so that several servers on one machine do not restart in step. */
function pauseAfter(failures: number): number {
  const longest = Math.min(FIRST_DELAY_MS * 2 ** failures, LONGEST_DELAY_MS);
  return longest * (0.5 + Math.random() / 2);
}
