import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/**
 * How often each of many may do something. Counted in this process: with several servers each counts for itself, so
 * that the fleet's limit is at most theirs together. A window begins with the first use and forgets all at its end.
 */
export interface Rate {
  /** Takes one. @returns null when it was granted, else the milliseconds until there is one again */
  take(key: string): Promise<number | null>;
  /** Undoes a `take` that was granted. */
  giveBack(key: string): Promise<void>;
  /** @returns null when the next `take` would be granted, else the milliseconds until it would */
  wait(key: string): Promise<number | null>;
}

export function createRate({ limit, windowSeconds }: { limit: number; windowSeconds: number }): Rate {
  const limiter = new RateLimiterMemory({ points: limit, duration: windowSeconds });
  return {
    async take(key) {
      try {
        await limiter.consume(key);
        return null;
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return refusal.msBeforeNext;
        throw refusal;
      }
    },
    async giveBack(key) {
      // What has been forgotten meanwhile must not become a credit.
      if ((await limiter.get(key)) !== null) await limiter.reward(key);
    },
    async wait(key) {
      const used = await limiter.get(key);
      return used === null || used.consumedPoints < limit ? null : Math.max(used.msBeforeNext, 0);
    },
  };
}
