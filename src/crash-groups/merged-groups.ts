import { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import type { SignatureRow } from './locks.js';
import { copyTags, giveTagsBack, moveTags, tagsToKeep } from './tags.js';
import type { CrashGroupRow } from './types.js';

/**
 * Groups that are gone because another group took them in: their ids answer with that group, and a split gives them
 * back. Whoever writes these rows holds the lock of the group that they point to.
 */
export type MergedGroupRow = Prisma.MergedGroupGetPayload<object>;

/** The group that answers for an id: the group itself, or the one that took it in. Unknown ids stay as they are. */
export async function currentGroupId(db: Db | DbTransaction, id: number): Promise<number> {
  return (await takersOf(db, [id])).get(id) ?? id;
}

/** The groups that took in those of these groups that were merged, by their ids. */
export async function takersOf(db: Db | DbTransaction, ids: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.mergedGroup.findMany({
    where: { id: { in: [...ids] } },
    select: { id: true, intoId: true },
  });
  return new Map(rows.map(({ id, intoId }) => [id, intoId]));
}

/** Notes that `groups` became part of `intoId`, before they are deleted. What they had taken in follows. */
export async function keepMerged(
  tx: DbTransaction,
  groups: readonly CrashGroupRow[],
  intoId: number,
  at: Date,
): Promise<void> {
  const ids = groups.map(({ id }) => id);
  const tagsOf = await tagsToKeep(tx, ids);
  await moveTags(tx, ids, intoId);
  await takeActivity(tx, ids, intoId);
  await tx.mergedGroup.updateMany({ where: { intoId: { in: ids } }, data: { intoId } });
  await tx.mergedGroup.createMany({
    data: groups.map(({ id, ...group }) => ({
      ...setByPeople(group),
      id,
      intoId,
      takenById: intoId,
      tags: tagsOf(id),
      mergedAt: at,
    })),
  });
}

/** Like a signature, activity remembers the first group that it came from, as long as that one can be given back. */
async function takeActivity(tx: DbTransaction, ids: readonly number[], intoId: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.$executeRaw`
    UPDATE "GroupActivity" SET "groupId" = ${intoId}, "fromGroupId" = CASE
      WHEN EXISTS (SELECT 1 FROM "MergedGroup" m
        WHERE m."id" = "GroupActivity"."fromGroupId" AND m."intoId" = "GroupActivity"."groupId")
      THEN "fromGroupId" ELSE "groupId" END
    WHERE "groupId" IN (${Prisma.join([...ids])})`;
}

/** Forgets what a group had taken in, before the group is deleted without a group that follows it. */
export async function forgetMerged(tx: DbTransaction, groupId: number): Promise<void> {
  const gone = await tx.mergedGroup.findMany({ where: { intoId: groupId }, select: { id: true } });
  if (gone.length === 0) return;
  const ids = gone.map(({ id }) => id);
  await tx.crashSignature.updateMany({ where: { fromGroupId: { in: ids } }, data: { fromGroupId: null } });
  await tx.mergedGroup.deleteMany({ where: { id: { in: ids } } });
}

/**
 * The merged group that all these signatures of a group came from; the smallest one, where one was merged into another
 * before. Null when there is none, or when they came from several.
 */
export async function mergedGroupOf(
  tx: DbTransaction,
  groupId: number,
  signatures: readonly SignatureRow[],
): Promise<MergedGroupRow | null> {
  const rows = await takenInBy(tx, groupId);
  const [first, ...others] = signatures.map((signature) => originsOf(signature, rows));
  const common = first?.find((id) => others.every((origins) => origins.includes(id)));
  return common === undefined ? null : (rows.get(common) ?? null);
}

/**
 * After signatures have moved from one group to another: an id follows when all that came from it has moved.
 * @param back the merged group that `toId` is again
 */
export async function followSignatures(
  tx: DbTransaction,
  fromId: number,
  toId: number,
  back: MergedGroupRow | null,
): Promise<void> {
  const rows = await takenInBy(tx, fromId);
  const signatures = await tx.crashSignature.findMany({ where: { fromGroupId: { in: [...rows.keys()] } } });
  const following = back === null ? [] : [back.id];
  for (const { id, takenById } of rows.values()) {
    if (id === back?.id) continue;
    const ofIt = signatures.filter((signature) => originsOf(signature, rows).includes(id));
    const hasMoved = ofIt.length > 0 && ofIt.every(({ groupId }) => groupId === toId);
    const wasIn = takenById === back?.id;
    if (hasMoved) {
      following.push(id);
      await tx.mergedGroup.update({ where: { id }, data: { intoId: toId } });
    } else if (wasIn) {
      await tx.mergedGroup.update({ where: { id }, data: { takenById: back.takenById } });
    }
  }
  await tx.groupActivity.updateMany({
    where: { groupId: fromId, fromGroupId: { in: following } },
    data: { groupId: toId },
  });
  if (back === null) return copyTags(tx, fromId, toId);
  await giveTagsBack(tx, fromId, back);
  await tx.crashSignature.updateMany({ where: { fromGroupId: back.id }, data: { fromGroupId: null } });
  await tx.groupActivity.updateMany({ where: { fromGroupId: back.id }, data: { fromGroupId: null } });
  await tx.mergedGroup.delete({ where: { id: back.id } });
}

/** What people set in a group, which it has again when it comes back. */
export function setByPeople(group: SetByPeople): SetByPeople {
  const { state, resolvedAt, resolvedInVersion, regressedAt, regressedInVersion } = group;
  const { ignoredAt, ignoredUntilCount, ignoredUntilAt, ignoredUntilVersion } = group;
  const { assignee, note, ticketUrl } = group;
  return {
    ...{ state, resolvedAt, resolvedInVersion, regressedAt, regressedInVersion },
    ...{ ignoredAt, ignoredUntilCount, ignoredUntilAt, ignoredUntilVersion },
    ...{ assignee, note, ticketUrl },
  };
}

type SetByPeople = Omit<MergedGroupRow, 'id' | 'intoId' | 'takenById' | 'tags' | 'mergedAt'>;

async function takenInBy(tx: DbTransaction, intoId: number): Promise<Map<number, MergedGroupRow>> {
  const rows = await tx.mergedGroup.findMany({ where: { intoId }, orderBy: { id: 'asc' } });
  return new Map(rows.map((row) => [row.id, row]));
}

/** The merged groups that a signature came from: the one that it was in first, the one that took that in, and so on. */
function originsOf(
  { fromGroupId }: Pick<SignatureRow, 'fromGroupId'>,
  rows: ReadonlyMap<number, MergedGroupRow>,
): number[] {
  const origins: number[] = [];
  for (let row = rows.get(fromGroupId ?? 0); row !== undefined; row = rows.get(row.takenById)) {
    if (origins.includes(row.id)) break;
    origins.push(row.id);
  }
  return origins;
}
