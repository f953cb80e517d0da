import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import { type CrashGroupRow, toGroupRow } from './types.js';

/**
 * Lock order of all code that counts, moves or merges: dump, signatures, groups, alert rules, then counters; rows of
 * one kind by id. A row is locked by an update that changes nothing. The update returns the row as it is under the
 * lock, so no concurrent change is overwritten on either database.
 *
 * A signature joins or leaves a group only under the group's lock, so the holder of the lock may rely on the list.
 */

export type SignatureRow = Prisma.CrashSignatureGetPayload<object>;

const UNCHANGED = { count: { increment: 0 } };

export async function lockSignature(
  tx: DbTransaction,
  fingerprint: string,
): Promise<SignatureRow | undefined> {
  const [row] = await tx.crashSignature.updateManyAndReturn({ where: { fingerprint }, data: UNCHANGED });
  return row;
}

/** Locks the signatures of one group, or of several. */
export function lockSignaturesOf(tx: DbTransaction, groupIds: readonly number[]): Promise<SignatureRow[]> {
  return tx.crashSignature.updateManyAndReturn({
    where: { groupId: { in: [...groupIds] } },
    data: UNCHANGED,
  });
}

/**
 * One statement, however many they are. PostgreSQL may lock several rows of one statement in another order than by id;
 * a deadlock with another transaction, which is rare, is repeated (`inTransaction`).
 * @returns the existing groups, in the order of their ids
 */
export async function lockGroups(
  tx: DbTransaction,
  ids: readonly number[],
): Promise<Map<number, CrashGroupRow>> {
  if (ids.length === 0) return new Map();
  const wanted = [...new Set(ids)].sort((a, b) => a - b);
  const rows = await tx.crashGroup.updateManyAndReturn({ where: { id: { in: wanted } }, data: UNCHANGED });
  return new Map(rows.sort((a, b) => a.id - b.id).map((row) => [row.id, toGroupRow(row)]));
}

/** Locks the existing signatures of these fingerprints, then their groups. */
export async function lockWithGroups(tx: DbTransaction, fingerprints: readonly string[]): Promise<void> {
  const ids = await tx.crashSignature.findMany({
    where: { fingerprint: { in: [...fingerprints] } },
    orderBy: { id: 'asc' },
    select: { id: true },
  });
  const groupIds: number[] = [];
  for (const { id } of ids) {
    const [row] = await tx.crashSignature.updateManyAndReturn({ where: { id }, data: UNCHANGED });
    if (row !== undefined) groupIds.push(row.groupId);
  }
  await lockGroups(tx, groupIds);
}
