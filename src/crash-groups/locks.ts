import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import { type CrashGroupRow, toGroupRow } from './types.js';

/**
 * All code that counts, moves or merges takes locks in this order: dump, signatures, groups, alert rules, then counters;
 * several of a kind by their ids. A row is locked by an update that changes nothing. The update returns the row as it is
 * under the lock, so no change is lost on either database.
 *
 * Signatures join and leave a group only under the group's lock. So the holder of the lock may trust the list of them.
 */

export type SignatureRow = Prisma.CrashSignatureGetPayload<object>;

const AS_IT_IS = { count: { increment: 0 } };

export async function lockSignature(
  tx: DbTransaction,
  fingerprint: string,
): Promise<SignatureRow | undefined> {
  const [row] = await tx.crashSignature.updateManyAndReturn({ where: { fingerprint }, data: AS_IT_IS });
  return row;
}

/** Locks the signatures of one group, or of several. */
export function lockSignaturesOf(tx: DbTransaction, groupIds: readonly number[]): Promise<SignatureRow[]> {
  return tx.crashSignature.updateManyAndReturn({
    where: { groupId: { in: [...groupIds] } },
    data: AS_IT_IS,
  });
}

/** @returns those that exist, by id */
export async function lockGroups(
  tx: DbTransaction,
  ids: readonly number[],
): Promise<Map<number, CrashGroupRow>> {
  const groups = new Map<number, CrashGroupRow>();
  for (const id of [...new Set(ids)].sort((a, b) => a - b)) {
    const [row] = await tx.crashGroup.updateManyAndReturn({ where: { id }, data: AS_IT_IS });
    if (row !== undefined) groups.set(id, toGroupRow(row));
  }
  return groups;
}

/** Locks the signatures of these fingerprints, as far as they exist, and then their groups. */
export async function lockWithGroups(tx: DbTransaction, fingerprints: readonly string[]): Promise<void> {
  const ids = await tx.crashSignature.findMany({
    where: { fingerprint: { in: [...fingerprints] } },
    orderBy: { id: 'asc' },
    select: { id: true },
  });
  const groupIds: number[] = [];
  for (const { id } of ids) {
    const [row] = await tx.crashSignature.updateManyAndReturn({ where: { id }, data: AS_IT_IS });
    if (row !== undefined) groupIds.push(row.groupId);
  }
  await lockGroups(tx, groupIds);
}
