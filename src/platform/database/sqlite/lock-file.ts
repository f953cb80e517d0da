import { rmSync, statSync } from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';

export interface Lock {
  /** The file stays. */
  release(): void;
  /** With its file. */
  remove(): void;
}

/**
 * A lock among processes, by SQLite's own: the operating system lifts it whatever way its holder ends. Nothing is
 * written, not even a journal, so that a killed holder leaves an empty file and nothing beside it.
 *
 * @param path of a file that is made if it is missing
 * @param waitMs for another process that holds it. Without a wait two that begin at once may both be refused
 * @returns null when another process holds it
 * @throws what SQLite throws when the file cannot be made or locked
 */
export function takeLock(path: string, { waitMs = 0 }: { waitMs?: number } = {}): Lock | null {
  for (;;) {
    const before = fileAt(path);
    const lock = lockedFile(path, waitMs);
    if (lock === null) return null;
    // Its last holder may have removed it after it was opened here: a lock on a file without a name keeps nobody out.
    // What was missing is looked at once more, now that it has been made.
    if (before !== null && before === fileAt(path)) {
      return {
        release: () => lock.close(),
        remove() {
          // While it is held, so that it is nobody else's.
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
    // Not with locking_mode = EXCLUSIVE: of two that begin at once each would keep the shared lock that the other waits
    // for.
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
 * Which file has this name, null when none has. Asked by name: to open and close it would lift this process's locks on
 * it (POSIX fcntl).
 */
function fileAt(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev} ${stats.ino} ${stats.birthtimeNs}`;
}
