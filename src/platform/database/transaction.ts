import { setTimeout as pause } from 'node:timers/promises';
import type { Db, DbTransaction } from './database.js';
import { isWriteConflict } from './errors.js';

/** Each time one of those who wait for each other gets through, so a few times are enough for any crowd but a wrong one. */
const MAX_ATTEMPTS = 5;
const PAUSE_MS = 20;

const acknowledged = new WeakSet<DbTransaction>();

/** Whether the answer to its COMMIT has come. It may have been committed without: a connection can break in between. */
export function isAcknowledged(tx: DbTransaction): boolean {
  return acknowledged.has(tx);
}

/**
 * `db.$transaction` for work that locks several rows: where PostgreSQL ends it to resolve a deadlock, it is done again.
 * SQLite has one writer at a time and knows no such thing.
 *
 * @param work may run several times, so everything that it changes must be in the database
 */
export async function inTransaction<T>(db: Db, work: (tx: DbTransaction) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      let current: DbTransaction | undefined;
      const result = await db.$transaction((tx) => {
        current = tx;
        return work(tx);
      });
      if (current !== undefined) acknowledged.add(current);
      return result;
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isWriteConflict(error)) throw error;
      // Random, so that the same two do not meet again.
      await pause(Math.random() * PAUSE_MS * attempt);
    }
  }
}
