import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import type { Logger } from '../platform/logger.js';
import { createSemaphore } from '../platform/semaphore.js';
import type { ParseTask, WorkerOutcome } from './worker.js';

export type PoolOutcome =
  | WorkerOutcome
  /** Not started: too many tasks are waiting, or the client has closed the connection. */
  | { status: 'busy'; reason: string };

export interface ParsePool {
  /** Never rejects. `gone` removes a waiting task from the queue; a running one continues. */
  parse(task: ParseTask, gone: AbortSignal): Promise<PoolOutcome>;
  /** Ends the workers, whether they are busy or not. */
  close(): Promise<void>;
}

/** Far more than a worker needs to load its modules. */
const LOADING_GRACE_MS = 2_000;

/** Waiting tasks for each worker: enough for a burst of crashes of a whole fleet. */
const WAITING_PER_WORKER = 64;

/**
 * Threads that parse untrusted input, each with a limit on its heap and a deadline for each task. A thread that exceeds
 * either is ended and replaced; its task fails, the others continue. V8 checks the heap between steps of JavaScript:
 * one native call that allocates far too much ends the whole process, so the process is supervised.
 *
 * Resolves when all workers are ready. Node 20 aborts the process when a thread is ended while it loads its modules, so
 * no thread should be ended before.
 */
export async function startParsePool({
  workers,
  workerFile,
  timeoutMs,
  maxOldSpaceMb,
  log,
}: {
  workerFile: string;
  workers: number;
  timeoutMs: number;
  maxOldSpaceMb: number;
  log: Logger;
}): Promise<ParsePool> {
  // piscina's own queue limit does not apply to tasks with an abort signal (5.3.2), and a deadline should begin with
  // the
  // work.
  const semaphore = createSemaphore(workers, { maxWaiting: workers * WAITING_PER_WORKER });
  const pool = new Piscina<ParseTask | undefined, WorkerOutcome>({
    filename: pathToFileURL(workerFile).href,
    // Threads are never ended for idleness, because they would lose their cache of firmware images.
    minThreads: workers,
    maxThreads: workers,
    resourceLimits: { maxOldGenerationSizeMb: maxOldSpaceMb },
  });
  // A worker that fails between tasks is replaced; without a listener the process would end.
  pool.on('error', (error: unknown) => log.error({ err: error }, 'a parse worker broke'));

  await allReady();
  return {
    async parse(task, gone) {
      const release = await semaphore.acquireUnless(gone);
      if (release === 'left') return { status: 'busy', reason: 'the client closed the connection' };
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

  /** A task without work for each worker: piscina gives each to an idle one. */
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
