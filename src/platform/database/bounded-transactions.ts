import { withDeadline } from '../deadline.js';
import { asDomainError } from './errors.js';
import { inTransaction } from './transaction.js';
import type { Db, DbTransaction } from './types.js';

/**
 * Most abandoned transactions that the database still holds. Beyond it the next one waits, so that they do not use up
 * all connections.
 */
const MAX_GIVEN_UP = 2;
/** Time limit for the answer to a COMMIT that was sent in time. */
const ANSWER_MS = 5_000;

/** "undone": its COMMIT was not sent and never will be. */
type Ended<T> = { status: 'done'; result: T } | { status: 'undone'; error: unknown };

/**
 * Transactions with a deadline for their callers. A transaction that is still running at the deadline is abandoned, and
 * rolled back as soon as the database continues it: it rejects with the signal's reason, and nothing of it is
 * committed. A COMMIT cannot be cancelled, so its answer is awaited a while longer.
 */
export function createBoundedTransactions(db: Db) {
  /** Each holds a connection, or a place in the writer's queue, until the database continues it. */
  const givenUp = new Set<Promise<unknown>>();

  /** @throws the signal's reason; or the error of the COMMIT, and then its outcome is unknown */
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
