import { DomainError } from '../errors.js';

/**
 * The result of `work`, if it settles in time. Late work continues, and its result is ignored.
 *
 * @throws DomainError UNAVAILABLE when it is late
 */
export function withDeadline<T>(work: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    // A plain timer: an upload has a deadline, and aborting a signal costs more than the rest of this.
    const timer = setTimeout(() => reject(deadlineError()), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export function deadlineError(): DomainError {
  return new DomainError('UNAVAILABLE', 'The database does not answer in time; try again.');
}
