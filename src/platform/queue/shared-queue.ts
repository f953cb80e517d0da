import type { Job, Jobs } from '../database/jobs.js';
import type { TaskQueue } from './in-process-queue.js';

/** How often it looks for jobs that other servers added. Who added one here says so, and is not kept waiting. */
const POLL_EVERY_MS = 1_000;
/** How often it looks for what has no job, or one in the hands of a server that died. */
const REFILL_EVERY_MS = 15_000;
/** What is added at a time: some milliseconds of the database's. The oldest come first, so in the end all. */
const REFILL_BATCH = 500;

/**
 * Works through the jobs that all servers of a database share, `concurrency` at once in this one. A job is deleted when
 * its task has ended, whatever way; what is still to be done then stands in the rows, from where `refill` brings it back.
 */
export function createSharedQueue<Task>({
  jobs,
  concurrency,
  keyOf,
  tasksOf,
  run,
  refill,
  onError,
}: {
  jobs: Jobs;
  concurrency: number;
  keyOf: (task: Task) => string;
  /** The tasks of these keys, as far as there is still something to do. */
  tasksOf: (keys: readonly string[]) => Promise<Task[]>;
  /** Must not reject but for bugs; ends early when `stop` is aborted, and then leaves a job for the others. */
  run: (task: Task, stop: AbortSignal) => Promise<void>;
  /** The oldest tasks in the database that nobody works on. */
  refill: (take: number) => Promise<Task[]>;
  onError: (error: unknown) => void;
}): TaskQueue<Task> {
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  let taking: Promise<void> | null = null;
  let shouldLookAgain = false;
  let isFailing = false;

  const polling = setInterval(wake, POLL_EVERY_MS);
  const refilling = setInterval(() => void bringBack(), REFILL_EVERY_MS);
  void bringBack();

  return {
    // Its job was added with the row, in the same transaction.
    add: wake,
    async close() {
      clearInterval(polling);
      clearInterval(refilling);
      stop.abort();
      await taking;
      await Promise.all(running);
    },
  };

  function wake(): void {
    shouldLookAgain = true;
    taking ??= takeAll().finally(() => {
      taking = null;
    });
  }

  /** Never more than can be worked on at once, so that the rest is there for the others. */
  async function takeAll(): Promise<void> {
    while (shouldLookAgain && !stop.signal.aborted && running.size < concurrency) {
      shouldLookAgain = false;
      await reported(async () => {
        const taken = await jobs.take(concurrency - running.size);
        if (taken.length === 0) return;
        shouldLookAgain = true;
        const tasks = new Map(
          (await tasksOf(taken.map(({ key }) => key))).map((task) => [keyOf(task), task]),
        );
        const idle = taken.filter(({ key }) => !tasks.has(key));
        for (const job of taken) {
          const task = tasks.get(job.key);
          if (task !== undefined) begin(job, task);
        }
        await jobs.forget(idle);
      });
    }
  }

  function begin(job: Job, task: Task): void {
    const work = reported(() => run(task, stop.signal).finally(() => jobs.forget([job])));
    running.add(work);
    void work.finally(() => {
      running.delete(work);
      wake();
    });
  }

  async function bringBack(): Promise<void> {
    if (stop.signal.aborted) return;
    await reported(async () => {
      const tasks = await refill(REFILL_BATCH);
      if (tasks.length > 0) await jobs.addNow(tasks.map(keyOf));
    });
    wake();
  }

  /** While the database is away everything fails, again and again: the first failure in a row is told. */
  async function reported(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      isFailing = false;
    } catch (error) {
      if (!isFailing) onError(error);
      isFailing = true;
    }
  }
}
