import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '../errors.js';

/**
 * The result of `work`, if it settles in time. Late work continues, and its result is ignored.
 *
 * @throws DomainError UNAVAILABLE when it is late
 */
export async function withDeadline<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const rest = new AbortController();
  const late = pause(limitMs, undefined, { signal: rest.signal }).then(() => Promise.reject(deadlineError()));
  // The promise that loses the race may reject without a listener.
  late.catch(() => {});
  return Promise.race([work, late]).finally(() => rest.abort());
}

export function deadlineError(): DomainError {
  return new DomainError('UNAVAILABLE', 'The database does not answer in time; try again.');
}
