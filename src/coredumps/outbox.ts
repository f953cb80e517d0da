import type { Database, DbTransaction } from '../platform/database/types.js';
import type { CoredumpRow } from './types.js';

/**
 * What the transaction of a change writes for other servers and for the queue: committed with the change, so that
 * nothing is lost with a server that dies right after its commit.
 */
export interface Outbox {
  /** Dumps that wait for their parse from now on: they arrived, or were reset. */
  waiting(
    tx: DbTransaction,
    dumps: ReadonlyArray<Pick<CoredumpRow, 'id' | 'parseGeneration'>>,
  ): Promise<void>;
  /** Dumps whose parse has ended. */
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

/** What names a parse in a queue: a re-parse is another one. */
export function parseKey({ id, parseGeneration }: Pick<CoredumpRow, 'id' | 'parseGeneration'>): string {
  return `${id}:${parseGeneration}`;
}
