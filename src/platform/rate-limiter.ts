/**
 * Limits how often each key may do something, in fixed windows. Counted in this process: with several servers each
 * counts separately, so the limit of the fleet is the sum. A window starts with the first use.
 */
export interface Rate {
  /** Takes one token. @returns null when granted, else the milliseconds until the next token */
  take(key: string): number | null;
  /** Returns a token that `take` granted. */
  release(key: string): void;
  /** @returns null when the next `take` would be granted, else the milliseconds until then */
  wait(key: string): number | null;
}

interface Window {
  endsAt: number;
  used: number;
}

/** @param now milliseconds of a monotonic clock: the wall clock may jump, and waits with it */
export function createRate({
  limit,
  windowSeconds,
  now = () => performance.now(),
}: {
  limit: number;
  windowSeconds: number;
  now?: () => number;
}): Rate {
  /** All windows have the same length, so their insertion order is the order of their ends. */
  const windows = new Map<string, Window>();

  return {
    take(key) {
      const window = current(key) ?? begin(key);
      if (window.used >= limit) return window.endsAt - now();
      window.used += 1;
      return null;
    },
    release(key) {
      // A token of an earlier window must not increase this one.
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
