import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { databaseProblem, isHeld, reasonOf } from './file.js';

/**
 * SQLite and the files beside it belong to one server at a time: a second one would take up the first one's parses
 * and sweep away its uploads in flight. The lock is SQLite's own, on a file of its own, so the operating system
 * lifts it whatever way the process ends.
 *
 * @throws Error with one clear sentence
 */
export function lockForOneServer(file: string): DatabaseSyncInstance {
  const lock = openLockFile(file);
  try {
    // Nothing is written, not even a journal: a full disk keeps nobody from his own database.
    lock.exec(`PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE;
      BEGIN EXCLUSIVE`);
    return lock;
  } catch (error) {
    lock.close();
    throw isHeld(error)
      ? databaseProblem(file, 'is in use by another Coredock server; stop that one first', error)
      : databaseProblem(file, `cannot be locked by ${file}.lock: ${reasonOf(error)}`, error);
  }
}

function openLockFile(file: string): DatabaseSyncInstance {
  try {
    return new DatabaseSync(`${file}.lock`);
  } catch (error) {
    throw databaseProblem(file, `is in a folder that cannot be written: ${reasonOf(error)}`, error);
  }
}
