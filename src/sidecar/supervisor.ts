import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../platform/logger.js';
import { type SidecarProcess, startSidecarProcess } from './sidecar-process.js';

interface SupervisedSidecar {
  /** Where it listens, or will again in a moment. Changes only if another program took its port meanwhile. */
  url(): string;
  /** Ends the sidecar and waits until it is gone. */
  close(): Promise<void>;
}

/** The server's first retry of a parse comes after about a second: the new sidecar should be there by then. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
/** After running for this long, the end of a sidecar does not count as a failure in a row. */
const RAN_WELL_MS = 60_000;

/**
 * Runs the bundled sidecar as a child process and starts another when it ends, after a pause that doubles with each
 * failure in a row. The child ends with this process, however this process ends.
 *
 * @param cliPath the built `cli.js`
 * @param stop gives up starting the first one; later ones end by `close`
 * @throws Error with one clear sentence when not even the first one starts
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
  let current = await start(0).finally(() => stop?.removeEventListener('abort', giveUp));
  const watching = keepRunning();
  return {
    url: () => current.url,
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
      log.error({ how }, 'the parse sidecar ended; another is started');
      if (performance.now() - startedAt >= RAN_WELL_MS) failures = 0;
      const next = await restart();
      if (next === null) return;
      current = next;
    }

    /** @returns null when it is to stop */
    async function restart(): Promise<SidecarProcess | null> {
      // The URL is in use elsewhere, so the port is kept; after a failure the port itself may be the problem.
      let port = Number(new URL(current.url).port);
      for (;;) {
        await sleep(pauseAfter(failures), undefined, { signal: stopping.signal }).catch(() => {});
        if (stopping.signal.aborted) return null;
        failures += 1;
        try {
          return await start(port);
        } catch (error) {
          if (stopping.signal.aborted) return null;
          log.error({ err: error }, 'the parse sidecar did not start; it is tried again');
          port = 0;
        }
      }
    }
  }
}

/** Exponential, and random by half, so that several servers on one machine do not start theirs in step. */
function pauseAfter(failures: number): number {
  const longest = Math.min(FIRST_DELAY_MS * 2 ** failures, LONGEST_DELAY_MS);
  return longest * (0.5 + Math.random() / 2);
}
