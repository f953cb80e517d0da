/**
 * `count` permits, and a queue of at most `maxWaiting` callers for them. piscina has a queue of its own, but its limit
 * does not hold for tasks with an abort signal (5.3.2), and a deadline should run from the start of the work.
 */
export function createSemaphore({ count, maxWaiting }: { count: number; maxWaiting: number }) {
  let free = count;
  const queue: Array<() => void> = [];

  return {
    /**
     * Waits for a permit.
     * @returns what releases it, or why there is none: the queue is full, or the signal was aborted
     */
    acquire(signal: AbortSignal): Promise<(() => void) | 'full' | 'aborted'> {
      if (signal.aborted) return Promise.resolve('aborted');
      if (free > 0) {
        free -= 1;
        return Promise.resolve(release);
      }
      if (queue.length >= maxWaiting) return Promise.resolve('full');
      return new Promise((resolve) => {
        const enter = () => {
          signal.removeEventListener('abort', abandon);
          resolve(release);
        };
        const abandon = () => {
          queue.splice(queue.indexOf(enter), 1);
          resolve('aborted');
        };
        queue.push(enter);
        signal.addEventListener('abort', abandon, { once: true });
      });
    },
  };

  /** To be called once by each holder. The first in the queue takes the permit over. */
  function release(): void {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  }
}
