import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import type { Logger } from '../../logger.js';
import type { DiskReserve } from './disk-reserve.js';
import { watchFile } from './file-watch.js';

/** Checks before and after every write that the file can still be written. */
export interface WriteGuard {
  /** @throws Error when writing is not allowed now: it becomes an error of the database */
  assertMayWrite(): void;
  /** Call this after a commit. @throws Error when the committed data is not in the file of that name */
  assertKept(): void;
  noteError(error: unknown): void;
}

const LOOK_EVERY_MS = 1_000;

/**
 * Stops a running server from writing to a wrong or full place. A commit into a file that was deleted or replaced is
 * lost when the server ends. A commit into the last free space of a disk leaves none for the deletions that would free
 * some. Both are checked before and after every write, and once a second.
 *
 * @param maintenance a connection that writes no data
 */
export function createSqliteGuard({
  file,
  reserve,
  maintenance,
  log,
}: {
  file: string;
  reserve: DiskReserve;
  maintenance: DatabaseSyncInstance;
  log?: Logger | undefined;
}) {
  // Recent commits are in the log beside the file until the next checkpoint.
  const watches = [file, `${file}-wal`].map((path) => ({ path, watch: watchFile(path) }));
  let missing: string | null = null;
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();

  const guard: WriteGuard = {
    assertMayWrite() {
      assertThere();
      reserve.assertMayWrite();
    },
    assertKept: assertThere,
    noteError: reserve.noteError,
  };
  return {
    ...guard,

    /** Why nothing can be written now; null when it can. */
    problem(): { code: 'STORAGE_FULL' | 'UNAVAILABLE'; message: string } | null {
      look();
      if (missing !== null) return { code: 'UNAVAILABLE', message: missing };
      if (reserve.isFull()) {
        return { code: 'STORAGE_FULL', message: `the disk of the database ${file} (DATABASE_URL) is full` };
      }
      return null;
    },

    close() {
      clearInterval(timer);
      // SQLite does it when the last connection is closed; but the package keeps a connection open until its prepared
      // statements are garbage, and at the end of the program they never are.
      shrinkLog();
    },
  };

  function assertThere(): void {
    findMissing();
    if (missing !== null) throw new Error(missing);
  }

  function look(): void {
    findMissing();
    if (missing !== null || reserve.restore()) return;
    shrinkLog();
    reserve.restore();
  }

  function findMissing(): void {
    const before = missing;
    missing = null;
    for (const { path, watch } of watches) {
      const problem = watch.problem();
      if (problem !== null) missing ??= `the file ${path} (DATABASE_URL) ${problem}`;
    }
    if (missing === before) return;
    if (missing === null) log?.info(`the database ${file} is back`);
    else log?.error(`${missing}: nothing is stored until it is put back or the server is restarted`);
  }

  /** Moves the write-ahead log into the file, unless another connection reads or writes now. */
  function shrinkLog(): void {
    try {
      maintenance.exec('PRAGMA busy_timeout = 0');
      maintenance.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // The next check tries again.
    }
  }
}
