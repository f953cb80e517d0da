import PQueue from 'p-queue';
import { createWorker } from '../background/worker.js';
import type { Logger } from '../logger.js';

/**
 * Works through tasks, some at once. Makers: this file's, for a database that one server has for itself, and
 * `shared-queue.ts`. A hint, not a record: what is to be done stands in the database, and `refill`
 * reads it from there at the start, when the queue is empty after it had refused tasks, and every so often. So
 * the queue may forget anything at any time.
 */
export interface TaskQueue<Task> {
  /** To be called after the commit that made it necessary. Tasks with the key of one that waits or runs are ignored. */
  add(task: Task): void;
  /** Lets the running ones end through their signal; waiting ones are forgotten. Resolves when none runs. */
  close(): Promise<void>;
}

/** Beyond this many waiting tasks new ones are left to the database: memory stays bounded however long the backlog. */
const MAX_WAITING = 1_000;
const REFILL_EVERY_MS = 15_000;

export function createInProcessQueue<Task>({
  concurrency,
  keyOf,
  run,
  refill,
  log,
}: {
  concurrency: number;
  keyOf: (task: Task) => string;
  /** Must not reject but for bugs; ends early when `stop` is aborted. */
  run: (task: Task, stop: AbortSignal) => Promise<void>;
  /** The oldest tasks in the database that nobody works on. */
  refill: (take: number) => Promise<Task[]>;
  log: Pick<Logger, 'error'>;
}): TaskQueue<Task> {
  const queue = new PQueue({ concurrency });
  const known = new Set<string>();
  const stop = new AbortController();
  let hasRefused = false;

  const refiller = createWorker({ name: 'refilling the queue', everyMs: REFILL_EVERY_MS, look: fill, log });
  queue.on('idle', () => {
    if (hasRefused) refiller.wake();
  });
  refiller.start();

  return {
    add,
    async close() {
      stop.abort();
      queue.clear();
      await refiller.stop();
      await queue.onIdle();
    },
  };

  function add(task: Task): void {
    const key = keyOf(task);
    if (stop.signal.aborted || known.has(key)) return;
    if (queue.size >= MAX_WAITING) {
      hasRefused = true;
      return;
    }
    known.add(key);
    void queue.add(async () => {
      try {
        if (!stop.signal.aborted) await run(task, stop.signal);
      } catch (error) {
        log.error({ err: error }, 'parse queue');
      } finally {
        known.delete(key);
      }
    });
  }

  async function fill(): Promise<void> {
    hasRefused = false;
    const tasks = await refill(MAX_WAITING);
    if (tasks.length === MAX_WAITING) hasRefused = true;
    tasks.forEach(add);
  }
}
