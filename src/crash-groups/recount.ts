import type { DbTransaction } from '../platform/database/types.js';
import { ALL, SLOT_MS } from './crash-series.js';
import { combineRates, decayedRateOfMany } from './decayed-rate.js';
import { lockGroups } from './locks.js';
import { type CrashGroupRow, toGroupRow } from './types.js';

/**
 * Sets the counters of a group to the sums of its signatures' counters.
 * @returns the updated group; null when it does not exist
 */
export async function recountGroup(
  tx: DbTransaction,
  groupId: number,
  at: Date,
): Promise<CrashGroupRow | null> {
  // Locked before the sums are read, so that a concurrent crash is counted either completely before or after.
  await lockGroups(tx, [groupId]);
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
      heat: await decayedRateOfGroup(tx, groupId),
      updatedAt: at,
    },
  });
  return row === undefined ? null : toGroupRow(row);
}

/** Older hours, counted back from the group's last crash, add nothing to its decayed rate at double precision. */
const RATE_HOURS = 30 * 24;

/** Computed from hours, with every crash at the beginning of its hour. */
export async function decayedRateOfGroup(tx: DbTransaction, groupId: number): Promise<number> {
  const hours = await tx.$queryRaw<Array<{ slot: number; count: number | bigint }>>`
    WITH hours AS (
      SELECT t."slot", sum(t."count") AS "count" FROM "CrashSignature" s
      JOIN "CrashTally" t ON t."signatureId" = s."id"
      WHERE s."groupId" = ${groupId} AND t."unit" = 'HOUR' AND t."firmwareVersion" = '' AND t."modelId" = ${ALL}
      GROUP BY t."slot" HAVING sum(t."count") > 0)
    SELECT "slot", "count" FROM hours WHERE "slot" >= (SELECT max("slot") FROM hours) - ${RATE_HOURS}`;
  const rates = hours.map(({ slot, count }) =>
    decayedRateOfMany(new Date(Number(slot) * SLOT_MS.HOUR), Number(count)),
  );
  const [first, ...others] = rates;
  return first === undefined ? 0 : others.reduce(combineRates, first);
}
