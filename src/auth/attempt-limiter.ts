import { DomainError } from '../errors.js';
import { networkOf } from '../platform/http/client-address.js';
import { createRate } from '../platform/rate-limiter.js';
import { IngestKeyRevoked } from './device-credentials.js';
import { TokenExpired } from './principal.js';

/** Limits how often an address may fail to authenticate, against guessing of names and secrets. */
export interface AttemptLimiter {
  /**
   * Runs `identify`. Each failure counts against the address; after too many failures, requests from it are refused
   * without a lookup until the minute is over.
   *
   * @throws DomainError RATE_LIMITED, and whatever `identify` throws
   */
  watch<T>(address: string, identify: () => Promise<T>): Promise<T>;
  /** @throws DomainError RATE_LIMITED after too many failures */
  check(address: string): void;
}

export function createAttemptLimiter({
  authFailuresPerMinute,
}: {
  authFailuresPerMinute: number;
}): AttemptLimiter {
  const failures = createRate({ limit: authFailuresPerMinute, windowSeconds: 60 });
  return {
    check,
    async watch(address, identify) {
      check(address);
      try {
        return await identify();
      } catch (error) {
        if (isFailure(error)) failures.take(networkOf(address));
        throw error;
      }
    },
  };

  function check(address: string): void {
    const waitMs = failures.wait(networkOf(address));
    if (waitMs === null) return;
    // Short enough for the close frame of a WebSocket.
    throw new DomainError(
      'RATE_LIMITED',
      `${authFailuresPerMinute} wrong devices or tokens came from this address in a minute (AUTH_FAILURES_PER_MINUTE); wait.`,
      { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
    );
  }
}

/**
 * A token that has expired and a key that was revoked were not guessed: dashboards behind one address, and a fleet, may all
 * come with one.
 */
function isFailure(error: unknown): boolean {
  if (error instanceof TokenExpired || error instanceof IngestKeyRevoked) return false;
  return error instanceof DomainError && (error.code === 'UNAUTHENTICATED' || error.code === 'NOT_FOUND');
}
