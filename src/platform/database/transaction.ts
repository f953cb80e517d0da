import { setTimeout as pause } from 'node:timers/promises';
import { isWriteConflict } from './errors.js';
import type { Db, DbTransaction } from './types.js';

/** Each time one of those who wait for each other gets through, so a few times are enough for any crowd but a wrong one. */
const MAX_ATTEMPTS = 5;
const PAUSE_MS = 20;

/**
 * What is known of a transaction's COMMIT. It holds nothing of the transaction, so code that asks later keeps
 * this: a finished transaction of Prisma's is large.
 */
export interface CommitRecord {
  /** The answer to its COMMIT has come. It may have been committed without: a connection can break in between. */
  isAcknowledged: boolean;
}

const commits = new WeakMap<DbTransaction, CommitRecord>();

export function commitOf(tx: DbTransaction): CommitRecord {
  const known = commits.get(tx);
  if (known !== undefined) return known;
  const record = { isAcknowledged: false };
  commits.set(tx, record);
  return record;
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
      if (current !== undefined) commitOf(current).isAcknowledged = true;
      return result;
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isWriteConflict(error)) throw error;
      // Random, so that the same two do not meet again.
      await pause(Math.random() * PAUSE_MS * attempt);
    }
  }
}
