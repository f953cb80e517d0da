import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import type { Logger } from '../../logger.js';
import type { DatabaseRoom } from './disk-reserve.js';
import { watchFile } from './file-watch.js';

/** What stands before every write, and is told what came of it. */
export interface WriteGuard {
  /** @throws Error when nothing may be written now: it becomes an error of the database */
  assertMayWrite(): void;
  /** To be called after a commit. @throws Error when what was written is not where it will be looked for */
  assertKept(): void;
  noteError(error: unknown): void;
}

const LOOK_EVERY_MS = 1_000;

/**
 * What can happen to the file of a running server, and what then must not: a commit into a file that has lost its name
 * is a loss, and one into the last of a full disk takes the way out of it. Looked at before and after every write, and
 * once a second.
 *
 * @param maintenance a connection that writes nothing
 */
export function createSqliteGuard({
  file,
  room,
  maintenance,
  log,
}: {
  file: string;
  room: DatabaseRoom;
  maintenance: DatabaseSyncInstance;
  log?: Logger | undefined;
}) {
  // What was committed lately is in the log beside the file until the next checkpoint.
  const watches = [file, `${file}-wal`].map((path) => ({ path, watch: watchFile(path) }));
  let lost: string | null = null;
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();

  const guard: WriteGuard = {
    assertMayWrite() {
      assertThere();
      room.assertMayWrite();
    },
    assertKept: assertThere,
    noteError: room.noteError,
  };
  return {
    ...guard,

    /** Why nothing can be written now; null when it can. */
    problem(): { code: 'STORAGE_FULL' | 'UNAVAILABLE'; message: string } | null {
      look();
      if (lost !== null) return { code: 'UNAVAILABLE', message: lost };
      if (room.isFull()) {
        return { code: 'STORAGE_FULL', message: `the disk of the database ${file} (DATABASE_URL) is full` };
      }
      return null;
    },

    close: () => clearInterval(timer),
  };

  function assertThere(): void {
    findLost();
    if (lost !== null) throw new Error(lost);
  }

  function look(): void {
    findLost();
    if (lost !== null || room.restore()) return;
    shrinkLog();
    room.restore();
  }

  function findLost(): void {
    const before = lost;
    lost = null;
    for (const { path, watch } of watches) {
      const problem = watch.problem();
      if (problem !== null) lost ??= `the file ${path} (DATABASE_URL) ${problem}`;
    }
    if (lost === before) return;
    if (lost === null) log?.info(`the database ${file} is back`);
    else log?.error(`${lost}: nothing is taken in until it is put back, or the server is started again`);
  }

  /** What the log has beyond its checkpoint goes back to the disk. Not now where somebody reads or writes. */
  function shrinkLog(): void {
    try {
      maintenance.exec('PRAGMA busy_timeout = 0');
      maintenance.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // The next look tries again.
    }
  }
}
