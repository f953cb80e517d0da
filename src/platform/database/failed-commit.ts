import { withDeadline } from '../deadline.js';
import { inTransaction } from './transaction.js';
import type { Db, DbTransaction } from './types.js';

/**
 * Finds the outcome of a commit that failed: PostgreSQL may have committed although its answer did not arrive. The
 * lookup takes a lock that every such commit holds from its first statement to its end, so it waits for a commit that
 * is still in progress. (SQLite runs in this process: a failed commit was not done.)
 *
 * @param options.find takes that lock, then reads the row that the commit would have inserted
 * @param options.withinMs time limit of the lookup; none if absent
 * @param options.onUnknown called with the reason when the lookup fails
 * @returns the row if it was committed; null if it was not and never will be
 * @throws `error` when the lookup fails: then the outcome is unknown
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
