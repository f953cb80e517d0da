import { withDeadline } from '../deadline.js';
import { inTransaction } from './transaction.js';
import type { Db, DbTransaction } from './types.js';

/**
 * What became of a commit that failed: PostgreSQL may have done it although its answer was lost on the way. Asked behind
 * a lock that every such commit holds from its first statement to its end, so that one which the database is still
 * working on is waited for. (SQLite answers in our own process: what failed there was not done.)
 *
 * @param options.find takes that lock, then reads the row that the commit would have made
 * @param options.withinMs how long the answer may take; absent: as long as it takes
 * @param options.onUnknown is told why the database cannot be asked
 * @returns the row when it stands; null when it does not and never will
 * @throws `error` when the database cannot be asked: then nobody knows
 */
export async function findCommitted<Row>(
  db: Db,
  error: unknown,
  {
    find,
    withinMs,
    onUnknown,
  }: {
    find: (tx: DbTransaction) => Promise<Row | null>;
    withinMs?: number;
    onUnknown: (reason: unknown) => void;
  },
): Promise<Row | null> {
  const lookup = inTransaction(db, find);
  try {
    return await (withinMs === undefined ? lookup : withDeadline(lookup, withinMs));
  } catch (reason) {
    onUnknown(reason);
    throw error;
  }
}
