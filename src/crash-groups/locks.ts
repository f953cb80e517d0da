import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import { type CrashGroupRow, toGroupRow } from './types.js';

/**
 * Locks are taken in one order by everybody who counts, moves or merges: dump, signatures, groups, alert rules, then
 * counters; several of a kind by their ids. A row is locked by writing what is there already, and that statement
 * answers it as it is under the lock, so nobody's change is lost on either database.
 *
 * What a group consists of is changed only by who holds the group's lock. So whoever has it may trust its signatures.
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

/** Of one group, or of several. */
export function lockSignaturesOf(tx: DbTransaction, groupIds: readonly number[]): Promise<SignatureRow[]> {
  return tx.crashSignature.updateManyAndReturn({
    where: { groupId: { in: [...groupIds] } },
    data: AS_IT_IS,
  });
}

/** @returns those that are there, by id */
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

/** Locks the signatures of these fingerprints that are there, and then their groups. */
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
