import type { Announcements } from '../platform/database/announcements.js';
import type { DbTransaction } from '../platform/database/database.js';
import type { CoredumpRow } from './types.js';

/**
 * What the transaction of a change leaves for others: written with it, so that a server which dies right after its
 * commit has told everything.
 */
export interface Outbox {
  /** Dumps that wait for their parse from now on: they arrived, or were reset. */
  waiting(tx: DbTransaction, dumps: readonly CoredumpRow[]): Promise<void>;
  /** Dumps whose parse has ended. */
  ended(tx: DbTransaction, dumps: readonly CoredumpRow[]): Promise<void>;
}

export function createOutbox({ announcements }: { announcements: Announcements }): Outbox {
  const announce = async (tx: DbTransaction, dumps: readonly CoredumpRow[]) => {
    if (dumps.length === 0) return;
    await announcements.announce(
      tx,
      'Coredump',
      dumps.map(({ id }) => id),
    );
  };
  return { waiting: announce, ended: announce };
}
