import { DomainError } from '../../errors.js';

/**
 * What a caller can be told about a file operation that failed: no room, or not available now. Anything that is not
 * the operating system's answer (a bug, a domain error) comes back as it is. Paths stay in the cause, for the log.
 */
export function asStorageError(error: unknown): unknown {
  if (!isSystemError(error)) return error;
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    return new DomainError('STORAGE_FULL', 'The storage is full.', { cause: error });
  }
  return new DomainError('UNAVAILABLE', 'The storage is not available now; try again.', { cause: error });
}

/** @throws DomainError STORAGE_FULL or UNAVAILABLE in place of the operating system's error */
export async function storageCall<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw asStorageError(error);
  }
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return isSystemError(error) && error.code !== undefined && codes.includes(error.code);
}

/** An error of a system call, as opposed to Node's complaints about arguments, which are bugs. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
