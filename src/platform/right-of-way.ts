import { setImmediate as nextTurn } from 'node:timers/promises';

/** Who takes longer than this waits for the network, not for the processor. */
const MAX_CLAIM_MS = 250;
/** How long long work stands back at a time while somebody with the right of way is there. */
const MAX_WAIT_MS = 25;

/**
 * Uploads go first: work that would keep the process busy for long is done in short slices, and each slice waits while
 * uploads are on their way. Not for ever, since on a busy server some upload always is.
 */
export interface RightOfWay {
  /** @returns to be called when the upload has ended; a slow one lets others work before that */
  enter(): () => void;
  /** Resolves in another turn of the event loop, when no upload is there or after some milliseconds. */
  clear(): Promise<void>;
}

export function createRightOfWay(maxWaitMs = MAX_WAIT_MS): RightOfWay {
  let inside = 0;
  let waiting: Array<() => void> = [];
  return {
    enter() {
      inside += 1;
      const timer = setTimeout(leave, MAX_CLAIM_MS);
      let isInside = true;
      return leave;

      function leave(): void {
        if (!isInside) return;
        isInside = false;
        clearTimeout(timer);
        inside -= 1;
        if (inside > 0) return;
        for (const go of waiting) go();
        waiting = [];
      }
    },
    async clear() {
      await nextTurn();
      if (inside === 0) return;
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
