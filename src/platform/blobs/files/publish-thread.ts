import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { PUBLISH_WORKER_FILE } from '../../program-files.js';
import { type Publication, type PublishOutcome, publishBatch } from './publish-batch.js';

export interface BatchToDo {
  id: number;
  batch: readonly Publication[];
}

export interface BatchDone {
  id: number;
  outcomes: PublishOutcome[];
}

/** The thread ends after this time without work, which frees its memory. */
const IDLE_MS = 10_000;

/**
 * Runs `publishBatch` in a separate thread, which starts with the first batch and ends after some time without one. The
 * thread keeps the process alive only while it works.
 *
 * @param worker exists only in the built program; without it batches are published in this thread
 */
export function createPublishThread(worker = PUBLISH_WORKER_FILE, idleMs = IDLE_MS): typeof publishBatch {
  if (!existsSync(worker)) return publishBatch;
  let thread: Thread | null = null;
  let idle: NodeJS.Timeout | undefined;

  return async function publish(batch) {
    clearTimeout(idle);
    thread ??= startThread(worker, { onEnd: () => (thread = null), onIdle });
    return thread.run(batch);
  };

  function onIdle() {
    idle = setTimeout(() => thread?.end(), idleMs).unref();
  }
}

type Thread = ReturnType<typeof startThread>;

function startThread(file: string, { onEnd, onIdle }: { onEnd: () => void; onIdle: () => void }) {
  const worker = new Worker(file);
  const running = new Map<
    number,
    { batch: readonly Publication[]; resolve: (outcomes: PublishOutcome[]) => void }
  >();
  let batches = 0;
  let reason = 'it was stopped';

  worker.on('message', ({ id, outcomes }: BatchDone) => {
    running.get(id)?.resolve(outcomes);
    running.delete(id);
    if (running.size > 0) return;
    worker.unref();
    onIdle();
  });
  worker.on('error', (error) => {
    reason = error.message;
  });
  worker.on('exit', () => {
    onEnd();
    // Temporary files of these batches are removed at the next start.
    const message = `the thread that writes files ended: ${reason}`;
    for (const { batch, resolve } of running.values())
      resolve(batch.map(() => ({ status: 'failed', message, cause: {} })));
  });

  return {
    run(batch: readonly Publication[]): Promise<PublishOutcome[]> {
      const id = batches++;
      return new Promise((resolve) => {
        running.set(id, { batch, resolve });
        worker.ref();
        // Transfers the bytes instead of copying them.
        worker.postMessage(
          { id, batch } satisfies BatchToDo,
          batch.flatMap(({ bytes }) => (bytes === null ? [] : [bytes.buffer as ArrayBuffer])),
        );
      });
    },
    end() {
      onEnd();
      void worker.terminate();
    },
  };
}
