import { setImmediate as nextTurn } from 'node:timers/promises';

/** A longer upload waits for the network, not for the CPU. */
const MAX_CLAIM_MS = 250;
/** How long a slice of other work waits at most while uploads are in progress. */
const MAX_WAIT_MS = 25;

/**
 * Gives uploads priority: long CPU work runs in short slices, and each slice waits while uploads are in progress. The
 * wait is limited, because a busy server always has some upload.
 */
export interface UploadPriority {
  /** @returns a function to call when the upload ends; a slow upload loses its priority before that */
  enter(): () => void;
  /** Resolves in another event-loop turn, when no upload is in progress or after some milliseconds. */
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
