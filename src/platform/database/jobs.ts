import type { DbTransaction } from './open-database.js';

/** What is to be done, handed out by the database to one server each. */
export interface Job {
  /** The database's own name for it. */
  id: string;
  /** Whose parse it is. */
  key: string;
}

/**
 * A queue that lives in the database and is shared by its servers. What it hands out is a hint: who takes a job up
 * looks in the row whether there is something to do, and what was forgotten is found there and added again.
 */
export interface Jobs {
  /** Part of the transaction that makes it necessary. A key that waits already is not added twice. */
  add(tx: DbTransaction, keys: readonly string[]): Promise<void>;
  /** The same, of its own. */
  addNow(keys: readonly string[]): Promise<void>;
  /** Takes up the oldest ones: nobody else gets them. */
  take(max: number): Promise<Job[]>;
  /** Forgets jobs that were taken up, whatever came of them. */
  forget(jobs: readonly Job[]): Promise<void>;
}
