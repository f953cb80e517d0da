import { badInput } from '../errors.js';
import { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { type SeriesRange, SLOT_MS } from './crash-series.js';
import type { Crash } from './types.js';

/** Devices that crashed on each day. A row outlives the dumps that it was made for. */

/** Adds the days of these crashes, in one statement for 1,000 of them. @returns the number of new rows */
export async function addCrashDays(
  tx: DbTransaction,
  crashes: ReadonlyArray<Pick<Crash, 'modelId' | 'deviceId' | 'at'>>,
): Promise<number> {
  const days = new Map<string, [slot: number, modelId: number, deviceId: number]>();
  for (const { at, modelId, deviceId } of crashes) {
    const slot = Math.floor(at.getTime() / SLOT_MS.DAY);
    days.set(`${slot} ${modelId} ${deviceId}`, [slot, modelId, deviceId]);
  }
  // Always in the same order, so that two transactions never wait for each other's rows.
  const rows = [...days.values()]
    .sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2])
    .map((columns) => Prisma.sql`(${Prisma.join(columns)})`);
  let added = 0;
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    added += await tx.$executeRaw`
      INSERT INTO "CrashDay" ("slot", "modelId", "deviceId")
      VALUES ${Prisma.join(rows.slice(from, from + ROWS_AT_ONCE))}
      ON CONFLICT ("slot", "modelId", "deviceId") DO NOTHING`;
  }
  return added;
}

/** SQLite binds at most 32,766 values in a statement, and PostgreSQL 65,535. */
const ROWS_AT_ONCE = 1_000;

export interface CrashFreeDay {
  /** The beginning of the day, in UTC. */
  start: Date;
  /** Devices that exist now and existed before the day was over. */
  deviceCount: number;
  /** Those of them that crashed on the day. */
  crashedDeviceCount: number;
}

/**
 * Devices with and without a crash, for each day of the range, in two statements.
 * @param modelIds only devices that are of these models now, and crashes that they had as such
 * @throws DomainError BAD_USER_INPUT for a range in hours
 */
export async function crashFreeDays(
  db: Db,
  { unit, firstSlot, lastSlot }: SeriesRange,
  modelIds: readonly number[] | undefined,
): Promise<CrashFreeDay[]> {
  if (unit !== 'DAY') throw badInput('Crash-free devices are known for each DAY only.', { field: 'unit' });
  const crashed = await crashedDevices(db, { firstSlot, lastSlot }, modelIds);
  const made = await db.lookup<{ createdAt: Date }>(Prisma.sql`
    SELECT d."createdAt" FROM "Device" d
    WHERE d."createdAt" < ${startOf(lastSlot + 1)} AND d."approval" = 'APPROVED'
      AND ${ofModels(Prisma.sql`d."modelId"`, modelIds)}`);
  const newDevices = new Map<number, number>();
  for (const { createdAt } of made) {
    const slot = Math.max(firstSlot, Math.floor(createdAt.getTime() / SLOT_MS.DAY));
    newDevices.set(slot, (newDevices.get(slot) ?? 0) + 1);
  }
  let deviceCount = 0;
  return Array.from({ length: lastSlot - firstSlot + 1 }, (_, index) => {
    const slot = firstSlot + index;
    deviceCount += newDevices.get(slot) ?? 0;
    const crashedDeviceCount = crashed.get(slot) ?? 0;
    // A device that crashed was there, even if a clock that was wrong said that it was made later.
    return {
      start: startOf(slot),
      deviceCount: Math.max(deviceCount, crashedDeviceCount),
      crashedDeviceCount,
    };
  });
}

async function crashedDevices(
  db: Db,
  { firstSlot, lastSlot }: Pick<SeriesRange, 'firstSlot' | 'lastSlot'>,
  modelIds: readonly number[] | undefined,
): Promise<Map<number, number>> {
  const rows = await db.$queryRaw<Array<{ slot: number; count: number | bigint }>>`
    SELECT x."slot", count(DISTINCT d."id") AS "count" FROM "CrashDay" x
    JOIN "Device" d ON d."id" = x."deviceId" AND d."approval" = 'APPROVED'
    WHERE x."slot" BETWEEN ${firstSlot} AND ${lastSlot} AND ${ofModels(Prisma.sql`x."modelId"`, modelIds)}
      AND ${modelIds === undefined ? Prisma.sql`1 = 1` : Prisma.sql`d."modelId" = x."modelId"`}
    GROUP BY x."slot"`;
  return new Map(rows.map(({ slot, count }) => [Number(slot), Number(count)]));
}

function ofModels(column: Prisma.Sql, ids: readonly number[] | undefined): Prisma.Sql {
  if (ids === undefined) return Prisma.sql`1 = 1`;
  return ids.length === 0 ? Prisma.sql`1 = 0` : Prisma.sql`${column} IN (${Prisma.join([...ids])})`;
}

function startOf(slot: number): Date {
  return new Date(slot * SLOT_MS.DAY);
}
