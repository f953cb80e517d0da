import { atEndOfTurn } from '../../platform/database/data-loader.js';
import type { UploadPriority } from '../../platform/upload-priority.js';

/** The longest time in milliseconds that one slice blocks the event loop. */
const SLICE_MS = 4;

/**
 * Splits long work, of all requests together, into short slices of time. Between two slices the event loop runs all
 * other work, and uploads run first.
 */
export interface Slices {
  /** Whether the current slice is used up. */
  isOver(): boolean;
  /** Resolves with the item in a later slice. */
  later<Item>(item: Item): Promise<Item>;
  /** Calls back when all waiting items are resolved and the loads that they caused were requested. */
  whenDrained(work: () => void): void;
}

export function createSlices(uploadPriority: Pick<UploadPriority, 'clear'>, sliceMs = SLICE_MS): Slices {
  const waiting: Array<() => void> = [];
  let drainedListeners: Array<() => void> = [];
  let first = 0;
  let isRunning = false;
  /** Start of the current slice; zero between slices. */
  let endsAt = 0;

  return {
    isOver: () => performance.now() >= endsAt,
    later: (item) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(item));
        if (!isRunning) void run();
      }),
    whenDrained(work) {
      if (isRunning) drainedListeners.push(work);
      else atEndOfTurn(work);
    },
  };

  async function run(): Promise<void> {
    isRunning = true;
    while (first < waiting.length) {
      await uploadPriority.clear();
      endsAt = performance.now() + sliceMs;
      while (first < waiting.length && performance.now() < endsAt) {
        waiting[first]?.();
        first += 1;
        // The work that waited for this item runs before the next item is resolved.
        await null;
      }
      endsAt = 0;
      waiting.splice(0, first);
      first = 0;
    }
    isRunning = false;
    const listeners = drainedListeners;
    drainedListeners = [];
    for (const work of listeners) atEndOfTurn(work);
  }
}
