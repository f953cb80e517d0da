/** The thread of `publish-thread.ts`: receives batches and returns their outcomes. */
import { parentPort } from 'node:worker_threads';
import { publishBatch } from './publish-batch.js';
import type { BatchDone, BatchToDo } from './publish-thread.js';

parentPort?.on('message', async ({ id, batch }: BatchToDo) => {
  const done: BatchDone = { id, outcomes: await publishBatch(batch) };
  parentPort?.postMessage(done);
});
