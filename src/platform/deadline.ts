import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '../errors.js';

/**
 * What `work` comes to, if it does so in time. What is late goes on, and nobody hears of it.
 *
 * @throws DomainError UNAVAILABLE when it is late
 */
export async function withDeadline<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const rest = new AbortController();
  const late = pause(limitMs, undefined, { signal: rest.signal }).then(() => Promise.reject(deadlineError()));
  // Whichever loses is heard by nobody.
  late.catch(() => {});
  return Promise.race([work, late]).finally(() => rest.abort());
}

export function deadlineError(): DomainError {
  return new DomainError('UNAVAILABLE', 'The database does not answer in time; try again.');
}
