import { dayOf } from '../devices/device-days.js';
import { badInput } from '../errors.js';
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
  if (days < 1 || days > MAX_ADOPTION_DAYS)
    throw badInput(`"days" is from 1 to ${MAX_ADOPTION_DAYS}.`, { field: 'days' });
  const lastSlot = dayOf(now);
  const firstSlot = lastSlot - days + 1;
  const rows = await db.$queryRaw<Array<Record<'slot' | 'rank' | 'count', number | bigint>>>`
    SELECT p."slot", p."rank", count(*) AS "count" FROM (
      SELECT x."slot", x."deviceId", max(CASE WHEN x."firmwareVersion" = ${version} THEN 2
        WHEN x."firmwareVersion" = ${comparedTo ?? ''} THEN 1 ELSE 0 END) AS "rank"
      FROM "DeviceDay" x
      JOIN "Device" d ON d."id" = x."deviceId" AND d."modelId" = x."modelId" AND d."approval" = 'APPROVED'
      WHERE x."slot" BETWEEN ${firstSlot} AND ${lastSlot} AND x."modelId" = ${modelId}
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
