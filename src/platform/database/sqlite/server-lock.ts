import { messageOf } from '../../../errors.js';
import { databaseProblem } from './file.js';
import { type Lock, takeLock } from './lock-file.js';

/** Two servers that start at once may block each other for a moment; after this time one of them has the lock. */
export const START_WAIT_MS = 500;

/**
 * Ensures that one server at a time uses the SQLite database and the files beside it: a second one would take the first
 * one's parses and remove its uploads in progress. The lock is a separate file beside the database, which is kept.
 *
 * @throws Error with one clear sentence
 */
export function lockForOneServer(file: string): Lock {
  const lock = tryLock(file);
  if (lock !== null) return lock;
  throw databaseProblem(file, 'is in use by another Coredock server; stop that one first');
}

function tryLock(file: string): Lock | null {
  try {
    return takeLock(`${file}.lock`, { waitMs: START_WAIT_MS });
  } catch (error) {
    throw isUnopened(error)
      ? databaseProblem(file, `is in a folder that cannot be written: ${messageOf(error)}`, error)
      : databaseProblem(file, `cannot be locked by ${file}.lock: ${messageOf(error)}`, error);
  }
}

/** SQLITE_CANTOPEN */
function isUnopened(error: unknown): boolean {
  return messageOf(error).includes('unable to open database file');
}
