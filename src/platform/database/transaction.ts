import { setTimeout as pause } from 'node:timers/promises';
import { isWriteConflict } from './errors.js';
import type { Db, DbTransaction } from './types.js';

/**
 * Each attempt lets at least one of the conflicting transactions finish, so a few attempts are enough for any realistic
 * number.
 */
const MAX_ATTEMPTS = 5;
const PAUSE_MS = 20;

/**
 * The state of a transaction's COMMIT. It holds no reference to the transaction, so code that needs the state later
 * keeps this: a finished transaction of Prisma is large.
 */
export interface CommitRecord {
  /**
   * The answer to its COMMIT arrived. Without it the transaction may still be committed: a connection can break in
   * between.
   */
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
 * `db.$transaction` for work that locks several rows. If PostgreSQL ends it because of a deadlock, it is repeated.
 * SQLite has one writer at a time and no deadlocks.
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
      // Random, so that the same two transactions do not conflict again.
      await pause(Math.random() * PAUSE_MS * attempt);
    }
  }
}
