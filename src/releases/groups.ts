import { firstDayKept } from '../devices/device-days.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import type { ReleaseHealth } from './health.js';
import type { ReleaseRow } from './versions.js';

export const RELEASE_CHANGES = ['NEW', 'REGRESSED', 'REMAINING', 'GONE', 'UNSEEN'] as const;
export type ReleaseChange = (typeof RELEASE_CHANGES)[number];

/** A group and what became of it in a version. */
export interface ReleaseGroupRow {
  id: number;
  change: ReleaseChange;
  /** Crashes ever counted in the version, and in the one that it is compared with. */
  count: number;
  comparedCount: number;
  /** Crashes that the version would have had by now at the rate of the other one; null: not known. */
  expectedCount: number | null;
}

/** No crash where this many are expected happens by chance in 1 of 20 cases ("rule of three"). */
const ENOUGH_EXPECTED = 3;

/**
 * The groups of a version and of the one that it is compared with, those with the most crashes first.
 * @param health of the version and of the other one
 */
export async function groupsOfRelease(
  db: Db,
  { modelId, version, comparedTo, earlier }: ReleaseRow,
  health: { own: ReleaseHealth; compared: ReleaseHealth },
  now: Date,
): Promise<ReleaseGroupRow[]> {
  const others = [...new Set([...earlier, ...(comparedTo === null ? [] : [comparedTo])])];
  const countIn = (versions: readonly string[]) =>
    versions.length === 0
      ? Prisma.sql`0`
      : Prisma.sql`sum(CASE WHEN v."firmwareVersion" IN (${Prisma.join([...versions])}) THEN v."count" ELSE 0 END)`;
  const compared = comparedTo === null ? [] : [comparedTo];
  type Counted = Record<'id' | 'count' | 'comparedCount' | 'earlierCount', number | bigint>;
  const [rows, kept] = await Promise.all([
    db.$queryRaw<Array<Counted & { regressedInVersion: string | null }>>`
      SELECT * FROM (
        SELECT g."id", g."regressedInVersion", ${countIn([version])} AS "count", ${countIn(compared)} AS "comparedCount",
          ${countIn(others)} AS "earlierCount"
        FROM "CrashVariant" v JOIN "CrashSignature" s ON s."id" = v."signatureId"
        JOIN "CrashGroup" g ON g."id" = s."groupId"
        WHERE v."modelId" = ${modelId} AND v."firmwareVersion" IN (${Prisma.join([version, ...others])})
        GROUP BY g."id", g."regressedInVersion"
      ) r WHERE r."count" > 0 OR r."comparedCount" > 0`,
    comparedTo === null ? new Map<number, number>() : keptCrashes(db, { modelId, version: comparedTo }, now),
  ]);
  return rows
    .map(({ regressedInVersion, ...row }) => {
      const [id, count, comparedCount] = [Number(row.id), Number(row.count), Number(row.comparedCount)];
      const expectedCount = expected(kept.get(id) ?? 0, health);
      const present =
        regressedInVersion === version ? 'REGRESSED' : Number(row.earlierCount) === 0 ? 'NEW' : 'REMAINING';
      const absent = expectedCount !== null && expectedCount >= ENOUGH_EXPECTED ? 'GONE' : 'UNSEEN';
      return { id, change: count > 0 ? present : absent, count, comparedCount, expectedCount } as const;
    })
    .sort((a, b) => b.count - a.count || b.comparedCount - a.comparedCount || a.id - b.id);
}

function expected(count: number, { own, compared }: { own: ReleaseHealth; compared: ReleaseHealth }) {
  if (own.reportingDays === 0 || compared.reportingDays === 0) return null;
  return (count / compared.reportingDays) * own.reportingDays;
}

/** Crashes of each group in a version, in the days of which devices are known too. */
async function keptCrashes(
  db: Db,
  { modelId, version }: { modelId: number; version: string },
  now: Date,
): Promise<Map<number, number>> {
  const rows = await db.$queryRaw<Array<{ id: number; count: number | bigint }>>`
    SELECT s."groupId" AS "id", sum(t."count") AS "count" FROM "CrashTally" t
    JOIN "CrashSignature" s ON s."id" = t."signatureId"
    WHERE t."signatureId" IN (SELECT v."signatureId" FROM "CrashVariant" v
        WHERE v."modelId" = ${modelId} AND v."firmwareVersion" = ${version})
      AND t."unit" = 'DAY' AND t."modelId" = ${modelId} AND t."firmwareVersion" = ${version}
      AND t."slot" >= ${firstDayKept(now)}
    GROUP BY s."groupId"`;
  return new Map(rows.map(({ id, count }) => [Number(id), Number(count)]));
}
