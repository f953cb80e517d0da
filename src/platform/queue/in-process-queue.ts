import PQueue from 'p-queue';
import { createWorker } from '../background/worker.js';
import type { Logger } from '../logger.js';

/**
 * Processes tasks, some concurrently. Implementations: this file, for a database that one server uses alone, and
 * `shared-queue.ts`. The queue is a hint, not a record: the database has the tasks, and `refill` reads them from there
 * at the start, when the queue is empty after it had refused tasks, and periodically. So the queue may forget tasks at
 * any time.
 */
export interface TaskQueue<Task> {
  /** Call this after the commit that created the tasks. A task whose key already waits or runs is ignored. */
  add(task: Task): void;
  /** Aborts running tasks by their signal and forgets waiting ones. Resolves when none runs. */
  close(): Promise<void>;
}

/** Beyond this many waiting tasks, new ones stay in the database only, so that memory is bounded. */
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
  /** Must not reject except for bugs; ends early when `stop` is aborted. */
  run: (task: Task, stop: AbortSignal) => Promise<void>;
  /** The oldest tasks in the database that are not in progress. */
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
