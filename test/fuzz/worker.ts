import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { readCorpus } from './corpus.js';
import { createExperiment } from './experiment.js';

/** What the main thread and one worker share. `board`: number of the run, of those that gave a report, of the thread. */
export interface Assignment {
  seed: number;
  first: number;
  last: number;
  step: number;
  board: SharedArrayBuffer;
}

export interface Finding {
  run: number;
  what: string;
}

const { seed, first, last, step, board } = workerData as Assignment;
const counters = new Int32Array(board);
const run = createExperiment(readCorpus(), seed);

Atomics.store(counters, 2, ownThread());
for (let number = first; number <= last; number += step) {
  Atomics.store(counters, 0, number);
  try {
    if (run(number) !== 'refused') Atomics.add(counters, 1, 1);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    parentPort?.postMessage({ run: number, what } satisfies Finding);
  }
}
Atomics.store(counters, 0, last + 1);

/** As Linux numbers it; 0 elsewhere. */
function ownThread(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}
