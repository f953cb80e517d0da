import { networkOf } from './client-address.js';
import { DomainError } from './errors.js';
import { createRate } from './platform/rates.js';

/** Holds back who tries names and secrets until one fits. */
export interface Guesses {
  /**
   * Finds out who somebody is. Each failure counts against the address; when there were too many, nothing is looked
   * up for it any more until the minute is over.
   *
   * @throws DomainError RATE_LIMITED, and whatever `identify` throws
   */
  watch<T>(address: string, identify: () => Promise<T>): Promise<T>;
}

export function createGuesses({ failuresPerMinute }: { failuresPerMinute: number }): Guesses {
  const failures = createRate({ limit: failuresPerMinute, windowSeconds: 60 });
  return {
    async watch(address, identify) {
      const network = networkOf(address);
      const waitMs = await failures.wait(network);
      if (waitMs !== null) {
        throw new DomainError(
          'RATE_LIMITED',
          `More than ${failuresPerMinute} attempts of this address with unknown devices or credentials failed ` +
            'within a minute (AUTH_FAILURES_PER_MINUTE); try again later.',
          { retryAfterSeconds: Math.ceil(waitMs / 1000) },
        );
      }
      try {
        return await identify();
      } catch (error) {
        if (isFailure(error)) await failures.take(network);
        throw error;
      }
    },
  };
}

function isFailure(error: unknown): boolean {
  return error instanceof DomainError && (error.code === 'UNAUTHENTICATED' || error.code === 'NOT_FOUND');
}
