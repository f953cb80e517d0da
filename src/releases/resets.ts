import { NO_RESETS, numbersOf, type ResetCounts } from '../devices/reset-counts.js';
import { RESET_COLUMNS, sumOfKind } from '../devices/reset-reasons.js';
import { firstDayOf } from '../devices/silent.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';

/** How runs ended, by the boot reports after them. */

/** Counters of devices, added up. "p" has the sums of a device. */
export const SUMMED_RESETS = Prisma.raw(
  RESET_COLUMNS.map((column) => `sum(p."${column}") AS "${column}"`).join(', '),
);

/**
 * Crashes of a device that only its boots tell of: resets that are crashes, less the crashes that arrived. An estimate for
 * each device: a crash that arrived twice, as a text and as a dump, or whose boot was not reported, hides another one.
 */
export const UNREPORTED =
  'CASE WHEN p."crashResets" > p."crashes" THEN p."crashResets" - p."crashes" ELSE 0 END';

/** What boots said in the last days. */
export interface BootSummary extends ResetCounts {
  /** Crashes that only boots tell of. */
  unreportedCrashCount: number;
  /** Devices that reported a boot. */
  deviceCount: number;
  bootCount: number;
  /** Devices with a crash that only boots tell of. */
  unreportedCrashDeviceCount: number;
}

const NO_BOOTS: BootSummary = {
  ...NO_RESETS,
  ...{ unreportedCrashCount: 0, deviceCount: 0, bootCount: 0, unreportedCrashDeviceCount: 0 },
};

/**
 * Of the whole fleet, or of models, in one statement.
 * @throws DomainError BAD_USER_INPUT
 */
export async function summarizeBoots(
  db: Db,
  { days, now, modelIds }: { days: number; now: Date; modelIds: readonly number[] | undefined },
): Promise<BootSummary> {
  const rows = await db.$queryRaw<object[]>`
    SELECT sum(CASE WHEN p."boots" > 0 THEN 1 ELSE 0 END) AS "deviceCount", sum(p."boots") AS "bootCount",
      sum(${Prisma.raw(UNREPORTED)}) AS "unreportedCrashCount",
      sum(CASE WHEN p."crashResets" > p."crashes" THEN 1 ELSE 0 END) AS "unreportedCrashDeviceCount", ${SUMMED_RESETS}
    FROM (
      SELECT x."deviceId", sum(x."boots") AS "boots", sum(x."crashes") AS "crashes",
        sum(${Prisma.raw(sumOfKind('CRASH', 'x'))}) AS "crashResets",
        ${Prisma.raw(RESET_COLUMNS.map((column) => `sum(x."${column}") AS "${column}"`).join(', '))}
      FROM "DeviceDay" x
      JOIN "Device" d ON d."id" = x."deviceId" AND d."modelId" = x."modelId" AND d."approval" = 'APPROVED'
      WHERE x."slot" >= ${firstDayOf(days, now, 'days')} AND ${ofModels(modelIds)}
      GROUP BY x."deviceId"
    ) p`;
  return numbersOf(rows[0] ?? {}, NO_BOOTS);
}

/** How runs of a version ended on a day. */
export interface ResetDay extends ResetCounts {
  /** The beginning of the day, in UTC. */
  start: Date;
}

/**
 * The last days, today included, in one statement.
 * @throws DomainError BAD_USER_INPUT
 */
export async function resetDaysOf(
  db: Db,
  { modelId, version }: { modelId: number; version: string },
  { days, now }: { days: number; now: Date },
): Promise<ResetDay[]> {
  const firstSlot = firstDayOf(days, now, 'days');
  const rows = await db.$queryRaw<Array<{ slot: number | bigint }>>`
    SELECT p."slot", ${SUMMED_RESETS} FROM "DeviceDay" p
    JOIN "Device" d ON d."id" = p."deviceId" AND d."modelId" = p."modelId" AND d."approval" = 'APPROVED'
    WHERE p."modelId" = ${modelId} AND p."firmwareVersion" = ${version} AND p."slot" >= ${firstSlot}
    GROUP BY p."slot"`;
  const bySlot = new Map(rows.map((row) => [Number(row.slot), numbersOf(row, NO_RESETS)]));
  return Array.from({ length: days }, (_, index) => {
    const slot = firstSlot + index;
    return { ...(bySlot.get(slot) ?? NO_RESETS), start: new Date(slot * DAY_MS) };
  });
}

function ofModels(ids: readonly number[] | undefined): Prisma.Sql {
  if (ids === undefined) return Prisma.sql`1 = 1`;
  return ids.length === 0 ? Prisma.sql`1 = 0` : Prisma.sql`x."modelId" IN (${Prisma.join([...ids])})`;
}
