/** Releases the permit; each holder calls it once. */
export type Release = () => void;

/**
 * Grants at most `count` permits at a time, in this process only. Other callers wait in the order of arrival,
 * `maxWaiting` of them at most. With a count of 1 it is a mutex.
 */
export function createSemaphore(
  count: number,
  { maxWaiting = Number.POSITIVE_INFINITY }: { maxWaiting?: number } = {},
) {
  let free = count;
  const waiting: Array<() => void> = [];

  return {
    acquire(): Promise<Release> {
      if (take()) return Promise.resolve(release);
      return new Promise((resolve) => waiting.push(() => resolve(release)));
    },

    /** @returns why no permit was granted: too many callers wait ('full'), or `signal` was aborted ('left') */
    acquireUnless(signal: AbortSignal): Promise<Release | 'full' | 'left'> {
      if (signal.aborted) return Promise.resolve('left');
      if (take()) return Promise.resolve(release);
      if (waiting.length >= maxWaiting) return Promise.resolve('full');
      return new Promise((resolve) => {
        const enter = () => {
          signal.removeEventListener('abort', giveUp);
          resolve(release);
        };
        const giveUp = () => {
          waiting.splice(waiting.indexOf(enter), 1);
          resolve('left');
        };
        waiting.push(enter);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
  };

  function take(): boolean {
    if (free === 0) return false;
    free -= 1;
    return true;
  }

  /** The first waiting caller gets the permit directly, so that no later caller overtakes it. */
  function release(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }
}

/** Runs work of the same key one after the other, in the order of the calls; in this process only. */
export function createKeyedMutex() {
  const mutexes = new Map<string, { semaphore: ReturnType<typeof createSemaphore>; users: number }>();
  return async function runExclusive<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mutex = mutexes.get(key) ?? { semaphore: createSemaphore(1), users: 0 };
    mutexes.set(key, mutex);
    mutex.users += 1;
    const release = await mutex.semaphore.acquire();
    try {
      return await work();
    } finally {
      release();
      mutex.users -= 1;
      if (mutex.users === 0) mutexes.delete(key);
    }
  };
}
