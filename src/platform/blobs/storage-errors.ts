import { DomainError } from '../../errors.js';
import { isSystemError } from '../files/system-errors.js';

/**
 * Maps a failed file operation to the error for callers: storage full, or not available now. Anything that is not an
 * error of the operating system (a bug, a domain error) is returned unchanged. Paths stay in the cause, for the log.
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
