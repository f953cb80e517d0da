import { atEndOfTurn } from '../../platform/database/data-loader.js';
import type { RightOfWay } from '../../platform/right-of-way.js';

/** As long as the event loop is kept from all others at a time. */
const SLICE_MS = 4;

/**
 * Long work, of all requests together, in short slices of time: between two of them everything else has its turn, and
 * uploads have the right of way.
 */
export interface Slices {
  /** Whether whoever works now should stop. */
  isOver(): boolean;
  /** The item, when there is time for it. */
  later<Item>(item: Item): Promise<Item>;
  /** Calls back when all items that wait have been given out, and what they lead to has been asked for. */
  whenGivenOut(work: () => void): void;
}

export function createSlices(rightOfWay: Pick<RightOfWay, 'clear'>, sliceMs = SLICE_MS): Slices {
  const waiting: Array<() => void> = [];
  let afterwards: Array<() => void> = [];
  let first = 0;
  let isRunning = false;
  /** Outside of a slice it is long past. */
  let endsAt = 0;

  return {
    isOver: () => performance.now() >= endsAt,
    later: (item) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(item));
        if (!isRunning) void run();
      }),
    whenGivenOut(work) {
      if (isRunning) afterwards.push(work);
      else atEndOfTurn(work);
    },
  };

  async function run(): Promise<void> {
    isRunning = true;
    while (first < waiting.length) {
      await rightOfWay.clear();
      endsAt = performance.now() + sliceMs;
      while (first < waiting.length && performance.now() < endsAt) {
        waiting[first]?.();
        first += 1;
        // What was waiting for the item is done before this goes on.
        await null;
      }
      endsAt = 0;
      waiting.splice(0, first);
      first = 0;
    }
    isRunning = false;
    const works = afterwards;
    afterwards = [];
    for (const work of works) atEndOfTurn(work);
  }
}
