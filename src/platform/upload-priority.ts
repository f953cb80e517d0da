import { setImmediate as nextTurn } from 'node:timers/promises';

/** An upload that takes longer waits for the network, not for the processor. */
const MAX_CLAIM_MS = 250;
/** How long a slice of long work waits at most while uploads are on their way. */
const MAX_WAIT_MS = 25;

/**
 * Uploads go first: work that would keep the process busy for long is done in short slices, and each slice waits while
 * uploads are on their way. Not for ever, since on a busy server some upload always is.
 */
export interface UploadPriority {
  /** @returns to be called when the upload has ended; a slow one lets others work before that */
  enter(): () => void;
  /** Resolves in another turn of the event loop, when no upload is there or after some milliseconds. */
  clear(): Promise<void>;
}

export function createUploadPriority(maxWaitMs = MAX_WAIT_MS): UploadPriority {
  let underWay = 0;
  let waiting: Array<() => void> = [];
  return {
    enter() {
      underWay += 1;
      const timer = setTimeout(end, MAX_CLAIM_MS);
      let isUnderWay = true;
      return end;

      function end(): void {
        if (!isUnderWay) return;
        isUnderWay = false;
        clearTimeout(timer);
        underWay -= 1;
        if (underWay > 0) return;
        for (const go of waiting) go();
        waiting = [];
      }
    },
    async clear() {
      await nextTurn();
      if (underWay === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, maxWaitMs);
        waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      await nextTurn();
    },
  };
}
