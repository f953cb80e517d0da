import { withDeadline } from '../deadline.js';
import { asDomainError } from './errors.js';
import { inTransaction } from './transaction.js';
import type { Db, DbTransaction } from './types.js';

/** Transactions that were given up and that the database still holds; one more waits, lest they take all connections. */
const MAX_GIVEN_UP = 2;
/** For the answer to a COMMIT that was sent in time. */
const ANSWER_MS = 5_000;

/** "undone": its COMMIT was never sent, and never will be. */
type Ended<T> = { status: 'done'; result: T } | { status: 'undone'; error: unknown };

/**
 * Transactions that end in time, as far as their callers can tell. One that is still at its work when the signal comes
 * is given up, and rolled back whenever the database lets it go on: it rejects with the signal's reason, and nothing of
 * it is or will be done. A COMMIT cannot be taken back, so that is waited for a while longer.
 */
export function createBoundedTransactions(db: Db) {
  /** Each keeps a connection, or a place in the writer's queue, until the database lets it go. */
  const givenUp = new Set<Promise<unknown>>();

  /** @throws the signal's reason; the COMMIT's error, and then nobody knows what became of it */
  return async function inBoundedTransaction<T>(
    signal: AbortSignal,
    work: (tx: DbTransaction) => Promise<T>,
  ): Promise<Ended<T>> {
    const timeIsOver = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    if (givenUp.size >= MAX_GIVEN_UP) await Promise.race([...givenUp, timeIsOver]);
    signal.throwIfAborted();

    let isCommitting = false;
    const transaction = inTransaction(db, async (tx) => {
      isCommitting = false;
      signal.throwIfAborted();
      const result = await work(tx);
      signal.throwIfAborted();
      isCommitting = true;
      return result;
    }).then(
      (result): Ended<T> => ({ status: 'done', result }),
      (thrown: unknown): Ended<T> => {
        const error = asDomainError(thrown);
        if (isCommitting) throw error;
        return { status: 'undone', error };
      },
    );
    await Promise.race([transaction, timeIsOver]);
    if (!signal.aborted) return transaction;
    if (isCommitting) return withDeadline(transaction, ANSWER_MS);
    const remains = transaction.catch(() => {}).finally(() => givenUp.delete(remains));
    givenUp.add(remains);
    throw signal.reason;
  };
}
