import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';

/** A dump that is deleted before it was parsed. It is counted all the same: the device did crash. */
export interface UnreadCrash {
  deviceId: number;
  /** The current model of the device. */
  modelId: number;
  /** The version that crashed: `crash-version.ts`. */
  firmwareVersion: string;
  chip: string;
  at: Date;
}

/** Counts crashes whose dumps this transaction deletes and which were not counted before. */
export type CountRetired = (tx: DbTransaction, crashes: readonly UnreadCrash[]) => Promise<void>;

/**
 * Counts those of these dumps that were not counted before, and records that. Their rows are locked. When such a dump
 * is parsed later, only its group is counted.
 */
export type CountUnread = (tx: DbTransaction, coredumpIds: readonly number[]) => Promise<void>;

/** Locks rows of dumps by writing their current values. */
export function lockDumps(tx: DbTransaction, where: Prisma.CoredumpWhereInput) {
  return tx.coredump.updateManyAndReturn({
    where,
    data: { parseAttempts: { increment: 0 } },
    select: { id: true, filename: true },
  });
}

/** Dumps per statement: databases limit the number of bound values. */
const AT_ONCE = 1_000;

/**
 * Deletes the rows of dumps in any state. The crashes of dumps that were never parsed are counted.
 * @returns the deleted rows
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
