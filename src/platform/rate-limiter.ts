/**
 * How often each of many may do something. Counted in this process: with several servers each counts for itself, so
 * that the fleet's limit is at most theirs together. A window begins with the first use and forgets all at its end.
 */
export interface Rate {
  /** Takes one. @returns null when it was granted, else the milliseconds until there is one again */
  take(key: string): number | null;
  /** Undoes a `take` that was granted. */
  release(key: string): void;
  /** @returns null when the next `take` would be granted, else the milliseconds until it would */
  wait(key: string): number | null;
}

interface Window {
  endsAt: number;
  used: number;
}

/** @param now milliseconds of a clock that nobody sets: the time of day may jump by weeks, and a wait with it */
export function createRate({
  limit,
  windowSeconds,
  now = () => performance.now(),
}: {
  limit: number;
  windowSeconds: number;
  now?: () => number;
}): Rate {
  /** All are equally long, so the order in which they began is that in which they end. */
  const windows = new Map<string, Window>();

  return {
    take(key) {
      const window = current(key) ?? begin(key);
      if (window.used >= limit) return window.endsAt - now();
      window.used += 1;
      return null;
    },
    release(key) {
      // What has been forgotten meanwhile must not become a credit.
      const window = current(key);
      if (window !== undefined) window.used = Math.max(0, window.used - 1);
    },
    wait(key) {
      const window = current(key);
      return window === undefined || window.used < limit ? null : window.endsAt - now();
    },
  };

  function begin(key: string): Window {
    const window = { endsAt: now() + windowSeconds * 1000, used: 0 };
    windows.set(key, window);
    return window;
  }

  function current(key: string): Window | undefined {
    const time = now();
    for (const [ended, { endsAt }] of windows) {
      if (endsAt > time) break;
      windows.delete(ended);
    }
    return windows.get(key);
  }
}
