import { badInput, notFound } from '../errors.js';
import type { DbTransaction } from '../platform/database/database.js';
import { combineHeat, heatOf, heatOfMany } from './heat.js';
import { ALL, SLOT_MS } from './tallies.js';
import { type CrashGroupRow, toGroupRow } from './types.js';

/**
 * Moves every signature of `otherIds` to `intoId` and deletes the empty groups. Costs the same however many dumps there
 * are: they belong to signatures.
 *
 * @throws DomainError NOT_FOUND
 */
export async function mergeGroups(
  tx: DbTransaction,
  intoId: number,
  otherIds: readonly number[],
  now: Date,
): Promise<CrashGroupRow> {
  const groups = await tx.crashGroup.findMany({ where: { id: { in: [intoId, ...otherIds] } } });
  for (const id of [intoId, ...otherIds]) {
    if (!groups.some((group) => group.id === id)) throw notFound('crash group', id);
  }
  await tx.crashSignature.updateMany({
    where: { groupId: { in: [...otherIds] } },
    data: { groupId: intoId },
  });
  // Who wanted to be told of one of them wants to be told of what it has become.
  await tx.alertRule.updateMany({ where: { groupId: { in: [...otherIds] } }, data: { groupId: intoId } });
  const merged = await recount(tx, intoId, now);
  await tx.crashGroup.deleteMany({ where: { id: { in: [...otherIds] } } });
  return merged;
}

/** @throws DomainError NOT_FOUND, BAD_USER_INPUT */
export async function splitGroup(
  tx: DbTransaction,
  id: number,
  fingerprints: readonly string[],
  now: Date,
): Promise<CrashGroupRow> {
  const group = await tx.crashGroup.findUnique({ where: { id } });
  if (group === null) throw notFound('crash group', id);
  const signatures = await tx.crashSignature.findMany({ where: { groupId: id }, orderBy: { id: 'asc' } });
  const leaving = signatures.filter(({ fingerprint }) => fingerprints.includes(fingerprint));
  const [first] = leaving;
  const unknown = fingerprints.filter((name) => !leaving.some(({ fingerprint }) => fingerprint === name));
  if (first === undefined || unknown.length > 0) {
    throw badInput(`The group has no fingerprint ${unknown.map((name) => `"${name}"`).join(', ')}.`);
  }
  if (leaving.length === signatures.length) throw badInput('A group keeps at least one fingerprint.');

  const { title, kind, reason, reasonClass, culpritFunction, culpritFile, firstSeenAt, lastSeenAt } = first;
  const description = { title, kind, reason, reasonClass, culpritFunction, culpritFile };
  const made = await tx.crashGroup.create({
    data: { ...description, firstSeenAt, lastSeenAt, state: 'OPEN', heat: 0 },
    select: { id: true },
  });
  await tx.crashSignature.updateMany({
    where: { id: { in: leaving.map((signature) => signature.id) } },
    data: { groupId: made.id },
  });
  await recount(tx, id, now);
  return recount(tx, made.id, now);
}

/** Days beyond which a crash weighs nothing in a group's heat. */
const HEAT_DAYS = 30;

/** What a group says of itself, from its signatures. The signatures that came or went are locked by their update. */
async function recount(tx: DbTransaction, groupId: number, now: Date): Promise<CrashGroupRow> {
  // Locks the group before anything is summed: who counts meanwhile comes before it or after it.
  await tx.crashGroup.updateMany({ where: { id: groupId }, data: { count: { increment: 0 } } });
  const { _sum, _min, _max } = await tx.crashSignature.aggregate({
    where: { groupId },
    _sum: { count: true },
    _min: { firstSeenAt: true },
    _max: { lastSeenAt: true },
  });
  const [devices] = await tx.$queryRaw<Array<{ count: number | bigint }>>`
    SELECT count(DISTINCT x."deviceId") AS "count" FROM "CrashSignature" s
    JOIN "CrashDevice" x ON x."signatureId" = s."id" WHERE s."groupId" = ${groupId}`;
  const [row] = await tx.crashGroup.updateManyAndReturn({
    where: { id: groupId },
    data: {
      count: _sum.count ?? 0,
      deviceCount: Number(devices?.count ?? 0),
      ...(_min.firstSeenAt === null ? {} : { firstSeenAt: _min.firstSeenAt }),
      ...(_max.lastSeenAt === null ? {} : { lastSeenAt: _max.lastSeenAt }),
      heat: await heatOfGroup(tx, groupId, _max.lastSeenAt ?? now, now),
    },
  });
  if (row === undefined) throw notFound('crash group', groupId);
  return toGroupRow(row);
}

async function heatOfGroup(tx: DbTransaction, groupId: number, lastSeenAt: Date, now: Date): Promise<number> {
  const since = Math.floor(now.getTime() / SLOT_MS.HOUR) - HEAT_DAYS * 24;
  const hours = await tx.$queryRaw<Array<{ slot: number; count: number | bigint }>>`
    SELECT t."slot", sum(t."count") AS "count" FROM "CrashSignature" s
    JOIN "CrashTally" t ON t."signatureId" = s."id"
    WHERE s."groupId" = ${groupId} AND t."unit" = 'HOUR' AND t."firmwareVersion" = '' AND t."modelId" = ${ALL}
      AND t."slot" >= ${since} GROUP BY t."slot" HAVING sum(t."count") > 0`;
  return hours
    .map(({ slot, count }) => heatOfMany(new Date(Number(slot) * SLOT_MS.HOUR), Number(count)))
    .reduce(combineHeat, heatOf(lastSeenAt) - HEAT_DAYS);
}
