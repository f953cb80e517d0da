import { createWorker } from '../background/worker.js';
import type { Job, Jobs } from '../database/types.js';
import type { Logger } from '../logger.js';
import type { TaskQueue } from './in-process-queue.js';

/** Polling period for jobs that other servers added. A job that was added here wakes the queue at once. */
const POLL_EVERY_MS = 1_000;
/** Polling period for rows without a job, or with a job of a dead server. */
const REFILL_EVERY_MS = 15_000;
/** Jobs added per statement. The oldest come first, so in the end all are added. */
const REFILL_BATCH = 500;

/**
 * Processes the jobs that all servers of a database share, `concurrency` at once on this server. A job is deleted when
 * its task has ended, in whatever way; remaining work is in the rows, and `refill` adds it again.
 */
export function createSharedQueue<Task>({
  jobs,
  concurrency,
  keyOf,
  tasksOf,
  run,
  refill,
  log,
}: {
  jobs: Jobs;
  concurrency: number;
  keyOf: (task: Task) => string;
  /** The tasks of these keys that still have work to do. */
  tasksOf: (keys: readonly string[]) => Promise<Task[]>;
  /**
   * Must not reject except for bugs; ends early when `stop` is aborted, and then releases its task for other servers.
   */
  run: (task: Task, stop: AbortSignal) => Promise<void>;
  /** The oldest tasks in the database that are not in progress. */
  refill: (take: number) => Promise<Task[]>;
  log: Pick<Logger, 'error'>;
}): TaskQueue<Task> {
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  const taker = createWorker({ name: 'taking up parses', everyMs: POLL_EVERY_MS, look: takeAll, log });
  const refiller = createWorker({
    name: 'refilling the queue',
    everyMs: REFILL_EVERY_MS,
    look: bringBack,
    log,
  });
  taker.start();
  refiller.start();

  return {
    // Its job was added with the row, in the same transaction.
    add: taker.wake,
    async close() {
      stop.abort();
      await Promise.all([taker.stop(), refiller.stop()]);
      await Promise.all(running);
    },
  };

  /** Takes no more jobs than can run at once, so that other servers get the rest. */
  async function takeAll(): Promise<void> {
    while (!stop.signal.aborted && running.size < concurrency) {
      const taken = await jobs.take(concurrency - running.size);
      if (taken.length === 0) return;
      const tasks = new Map((await tasksOf(taken.map(({ key }) => key))).map((task) => [keyOf(task), task]));
      const idle = taken.filter(({ key }) => !tasks.has(key));
      for (const job of taken) {
        const task = tasks.get(job.key);
        if (task !== undefined) begin(job, task);
      }
      await jobs.forget(idle);
    }
  }

  function begin(job: Job, task: Task): void {
    const work = run(task, stop.signal)
      .finally(() => jobs.forget([job]))
      .catch((error: unknown) => log.error({ err: error }, 'parse queue'))
      .finally(() => {
        running.delete(work);
        taker.wake();
      });
    running.add(work);
  }

  async function bringBack(): Promise<void> {
    const tasks = await refill(REFILL_BATCH);
    if (tasks.length > 0) await jobs.addNow(tasks.map(keyOf));
    taker.wake();
  }
}
