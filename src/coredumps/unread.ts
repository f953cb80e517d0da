import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';

/** A dump that goes before anybody has read it, as far as it is counted all the same: the device did crash. */
export interface UnreadCrash {
  deviceId: number;
  /** The device's model now. */
  modelId: number;
  /** As the device reported it. */
  firmwareVersion: string;
  chip: string;
  at: Date;
}

/** Counts crashes whose dumps are gone with this transaction, and which were not counted before. */
export type CountRetired = (tx: DbTransaction, crashes: readonly UnreadCrash[]) => Promise<void>;

/**
 * Counts those of these dumps that were not counted before, and remembers that they are. Their rows are locked. A dump
 * that is read later on is not counted again, only its group is.
 */
export type CountUnread = (tx: DbTransaction, coredumpIds: readonly number[]) => Promise<void>;

/** Rows of dumps, locked by writing what is there already. */
export function lockDumps(tx: DbTransaction, where: Prisma.CoredumpWhereInput) {
  return tx.coredump.updateManyAndReturn({
    where,
    data: { parseAttempts: { increment: 0 } },
    select: { id: true, filename: true },
  });
}

/** Dumps that one statement names: databases bind no more than some ten thousand values. */
const AT_ONCE = 1_000;

/**
 * Deletes the rows of dumps, whatever their state. Their crashes happened, so those that nobody had read are counted.
 * @returns what they were
 */
export async function deleteRows(
  tx: DbTransaction,
  where: Prisma.CoredumpWhereInput,
  countUnread: CountUnread,
): Promise<Array<{ id: number; filename: string }>> {
  const rows = await lockDumps(tx, where);
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    const ids = rows.slice(from, from + AT_ONCE).map(({ id }) => id);
    await countUnread(tx, ids);
    await tx.coredump.deleteMany({ where: { id: { in: ids } } });
  }
  return rows;
}
