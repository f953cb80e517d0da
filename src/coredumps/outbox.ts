import type { Database, DbTransaction } from '../platform/database/types.js';
import type { CoredumpRow } from './types.js';

/**
 * Messages for other servers and for the queue. They are written in the transaction of the change, so that a server
 * that dies right after its commit loses none.
 */
export interface Outbox {
  /** For dumps that are now PENDING: new, or reset. */
  waiting(
    tx: DbTransaction,
    dumps: ReadonlyArray<Pick<CoredumpRow, 'id' | 'parseGeneration'>>,
  ): Promise<void>;
  /** For dumps whose parse has ended. */
  ended(tx: DbTransaction, dumps: readonly CoredumpRow[]): Promise<void>;
}

export function createOutbox({ announcements, jobs }: Pick<Database, 'announcements' | 'jobs'>): Outbox {
  return {
    async waiting(tx, dumps) {
      if (dumps.length === 0) return;
      await jobs?.add(tx, dumps.map(parseKey));
      await announce(tx, dumps);
    },
    ended: announce,
  };

  async function announce(tx: DbTransaction, dumps: ReadonlyArray<Pick<CoredumpRow, 'id'>>): Promise<void> {
    await announcements.announce(
      tx,
      'Coredump',
      dumps.map(({ id }) => id),
    );
  }
}

/** Identifies a parse in a queue: each re-parse has its own key. */
export function parseKey({ id, parseGeneration }: Pick<CoredumpRow, 'id' | 'parseGeneration'>): string {
  return `${id}:${parseGeneration}`;
}
