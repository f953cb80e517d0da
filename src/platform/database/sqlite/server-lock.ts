import { databaseProblem, reasonOf } from './file.js';
import { type Lock, takeLock } from './lock-file.js';

/** Of two servers that start at once each may stand in the other's way for a moment; then one of them has the lock. */
export const START_WAIT_MS = 500;

/**
 * SQLite and the files beside it belong to one server at a time: a second one would take up the first one's parses
 * and sweep away its uploads in flight. The lock is on a file of its own, beside the database, which stays.
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
      ? databaseProblem(file, `is in a folder that cannot be written: ${reasonOf(error)}`, error)
      : databaseProblem(file, `cannot be locked by ${file}.lock: ${reasonOf(error)}`, error);
  }
}

/** SQLITE_CANTOPEN */
function isUnopened(error: unknown): boolean {
  return reasonOf(error).includes('unable to open database file');
}
