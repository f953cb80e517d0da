import { dayOf } from '../devices/device-days.js';
import { badInput } from '../errors.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import type { ReleaseRow } from './versions.js';

/** Which versions the devices that were heard of on a day ran. Each device counts once. */
export interface AdoptionDay {
  /** The beginning of the day, in UTC. */
  start: Date;
  /** With the version; without it, with the version that it is compared with; with others only. */
  deviceCount: number;
  comparedDeviceCount: number;
  otherDeviceCount: number;
}

export const MAX_ADOPTION_DAYS = 180;

/**
 * The last days, today included, in one statement.
 * @throws DomainError BAD_USER_INPUT
 */
export async function adoptionOf(
  db: Db,
  { modelId, version, comparedTo }: ReleaseRow,
  { days, now }: { days: number; now: Date },
): Promise<AdoptionDay[]> {
  const { firstSlot, lastSlot } = lastDays(days, now);
  const rows = await db.$queryRaw<Array<Record<'slot' | 'rank' | 'count', number | bigint>>>`
    SELECT p."slot", p."rank", count(*) AS "count" FROM (
      SELECT x."slot", x."deviceId", max(CASE WHEN x."firmwareVersion" = ${version} THEN 2
        WHEN x."firmwareVersion" = ${comparedTo ?? ''} THEN 1 ELSE 0 END) AS "rank"
      FROM "DeviceDay" x
      JOIN "Device" d ON d."id" = x."deviceId" AND d."modelId" = x."modelId" AND d."approval" = 'APPROVED'
      WHERE x."slot" BETWEEN ${firstSlot} AND ${lastSlot} AND x."modelId" = ${modelId} AND ${HEARD}
      GROUP BY x."slot", x."deviceId"
    ) p GROUP BY p."slot", p."rank"`;
  const counts = new Map(rows.map(({ slot, rank, count }) => [`${slot} ${rank}`, Number(count)]));
  return Array.from({ length: days }, (_, index) => {
    const slot = firstSlot + index;
    return {
      start: new Date(slot * DAY_MS),
      deviceCount: counts.get(`${slot} 2`) ?? 0,
      comparedDeviceCount: counts.get(`${slot} 1`) ?? 0,
      otherDeviceCount: counts.get(`${slot} 0`) ?? 0,
    };
  });
}

/** The devices of a model on a day, by version. */
export interface ModelAdoptionDay {
  start: Date;
  /** A device that ran several versions on the day counts with each. */
  versions: Array<{ version: string; deviceCount: number }>;
}

/** More versions than a chart has colours. */
const MAX_VERSIONS = 20;

/**
 * The versions that most devices ran on the last days, today included, in one statement.
 * @throws DomainError BAD_USER_INPUT
 */
export async function adoptionOfModel(
  db: Db,
  modelId: number,
  { days, now }: { days: number; now: Date },
): Promise<ModelAdoptionDay[]> {
  const { firstSlot, lastSlot } = lastDays(days, now);
  const rows = await db.$queryRaw<Array<{ slot: number; version: string; count: number | bigint }>>`
    SELECT x."slot", x."firmwareVersion" AS "version", count(*) AS "count" FROM "DeviceDay" x
    JOIN "Device" d ON d."id" = x."deviceId" AND d."modelId" = x."modelId" AND d."approval" = 'APPROVED'
    WHERE x."slot" BETWEEN ${firstSlot} AND ${lastSlot} AND x."modelId" = ${modelId} AND ${HEARD}
    GROUP BY x."slot", x."firmwareVersion"`;
  const sums = new Map<string, number>();
  for (const { version, count } of rows) sums.set(version, (sums.get(version) ?? 0) + Number(count));
  const shown = new Set(
    [...sums]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, MAX_VERSIONS)
      .map(([version]) => version),
  );
  const byDay = new Map<number, ModelAdoptionDay['versions']>();
  for (const { slot, version, count } of rows) {
    if (!shown.has(version)) continue;
    byDay.set(Number(slot), [...(byDay.get(Number(slot)) ?? []), { version, deviceCount: Number(count) }]);
  }
  return Array.from({ length: days }, (_, index) => ({
    start: new Date((firstSlot + index) * DAY_MS),
    versions: (byDay.get(firstSlot + index) ?? []).sort(
      (a, b) => b.deviceCount - a.deviceCount || (a.version < b.version ? -1 : 1),
    ),
  }));
}

/** A day on which only the end of a run is known says nothing of what the device ran then. */
const HEARD = Prisma.sql`(x."boots" > 0 OR x."crashes" > 0)`;

function lastDays(days: number, now: Date): { firstSlot: number; lastSlot: number } {
  if (days < 1 || days > MAX_ADOPTION_DAYS)
    throw badInput(`"days" is from 1 to ${MAX_ADOPTION_DAYS}.`, { field: 'days' });
  return { firstSlot: dayOf(now) - days + 1, lastSlot: dayOf(now) };
}
