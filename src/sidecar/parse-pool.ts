import { setTimeout as sleep } from 'node:timers/promises';
import { Piscina } from 'piscina';
import type { Logger } from '../platform/logger.js';
import { createSemaphore } from '../platform/semaphore.js';
import type { ParseTask, WorkerOutcome } from './worker.js';

export type PoolOutcome =
  | WorkerOutcome
  /** Not begun: too much is waiting, or the one who asked is gone. */
  | { status: 'busy'; reason: string };

export interface ParsePool {
  /** Never rejects. `gone` takes a task out of the line; one that runs is left to run. */
  parse(task: ParseTask, gone: AbortSignal): Promise<PoolOutcome>;
  /** Ends the workers, with whatever they are doing. */
  close(): Promise<void>;
}

/** What a worker takes to load its modules, ten times over. */
const LOADING_GRACE_MS = 2_000;

/** Tasks that may wait for each worker: enough for the bursts of a fleet's bad day, each waiting a second or so. */
const WAITING_PER_WORKER = 64;

/**
 * Threads that parse hostile input, each with a cap on its heap and a deadline for each task. One that breaks either is
 * ended and replaced; its task failed, the others do not notice. V8 looks after the cap between steps of JavaScript:
 * a single native call that takes far too much ends the whole process, which is why the process is supervised.
 *
 * Resolves when all workers stand ready. Node 20 aborts the process when a thread is ended while it loads its modules,
 * so that none should be ended before.
 */
export async function startParsePool({
  workers,
  timeoutMs,
  maxOldSpaceMb,
  log,
}: {
  workers: number;
  timeoutMs: number;
  maxOldSpaceMb: number;
  log: Logger;
}): Promise<ParsePool> {
  const slots = createSemaphore(workers, { maxWaiting: workers * WAITING_PER_WORKER });
  const pool = new Piscina<ParseTask | undefined, WorkerOutcome>({
    filename: new URL('./worker.js', import.meta.url).href,
    // All of them, always: a thread that is put away takes its cache of firmwares along.
    minThreads: workers,
    maxThreads: workers,
    resourceLimits: { maxOldGenerationSizeMb: maxOldSpaceMb },
  });
  // A worker that breaks between tasks. It is replaced; without a listener the process would end.
  pool.on('error', (error: unknown) => log.error({ err: error }, 'a parse worker broke'));

  await allReady();
  return {
    async parse(task, gone) {
      const release = await slots.acquireUnless(gone);
      if (release === 'left') return { status: 'busy', reason: 'the client left the line' };
      if (release === 'full') return { status: 'busy', reason: 'too many dumps are waiting to be parsed' };
      try {
        return await pool.run(task, { signal: AbortSignal.timeout(timeoutMs) });
      } catch (error) {
        return { status: 'failed', reason: explain(error) };
      } finally {
        release();
      }
    },
    async close() {
      await Promise.race([allReady().catch(() => {}), sleep(LOADING_GRACE_MS, undefined, { ref: false })]);
      await pool.destroy();
    },
  };

  /** A task that does nothing, for each worker: piscina gives each to one that is free. */
  async function allReady(): Promise<void> {
    await Promise.all(Array.from({ length: workers }, () => pool.run(undefined, { name: 'doNothing' })));
  }

  function explain(error: unknown): string {
    const { name, code } = error as NodeJS.ErrnoException;
    if (name === 'AbortError') return `parsing took longer than ${timeoutMs} ms`;
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') return `parsing needed more than ${maxOldSpaceMb} MB of memory`;
    log.error({ err: error }, 'the parser broke');
    return 'the parser broke';
  }
}
