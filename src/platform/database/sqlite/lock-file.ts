import { rmSync, statSync } from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';

export interface Lock {
  /** Releases the lock and keeps the file. */
  release(): void;
  /** Releases the lock and removes the file. */
  remove(): void;
}

/**
 * A lock between processes, based on SQLite's file locks: the operating system releases it however its holder ends.
 * Nothing is written, not even a journal, so that a killed holder leaves an empty file and nothing else.
 *
 * @param path of a file that is created if it is missing
 * @param waitMs how long to wait for another holder. Without a wait, two processes that start at once may both be
 *   refused
 * @returns null when another process holds it
 * @throws SQLite's error when the file cannot be created or locked
 */
export function takeLock(path: string, { waitMs = 0 }: { waitMs?: number } = {}): Lock | null {
  for (;;) {
    const before = fileAt(path);
    const lock = lockedFile(path, waitMs);
    if (lock === null) return null;
    // The last holder may have removed the file after it was opened here: a lock on a file without a name excludes no
    // one. After a missing file was created, check again.
    if (before !== null && before === fileAt(path)) {
      return {
        release: () => lock.close(),
        remove() {
          // Removed while the lock is held, so that no other process has it.
          rmSync(path, { force: true });
          lock.close();
        },
      };
    }
    lock.close();
  }
}

function lockedFile(path: string, waitMs: number) {
  const lock = new DatabaseSync(path);
  try {
    // Not with locking_mode = EXCLUSIVE: of two that start at once, each would keep the shared lock for which the other
    // waits.
    lock.exec(`PRAGMA busy_timeout = ${waitMs}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`);
    return lock;
  } catch (error) {
    lock.close();
    if (isHeld(error)) return null;
    throw error;
  }
}

/** SQLITE_BUSY: another connection has locked the file. */
function isHeld(error: unknown): boolean {
  return error instanceof Error && error.message.includes('database is locked');
}

/**
 * Identifies the file with this name; null when there is none. It is not opened, because closing it would release this
 * process's locks on it (POSIX fcntl).
 */
function fileAt(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev} ${stats.ino} ${stats.birthtimeNs}`;
}
