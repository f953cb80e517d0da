import { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import { RESET_COLUMNS } from './reset-reasons.js';

/**
 * Devices that were heard of on a day, by the version that they ran: their boot reports (boot-counters.ts), and their
 * crashes. Releases are compared by these rows.
 */

/** Rows of earlier days are removed. */
const DEVICE_DAYS_KEPT = 180;

/** Days since 1970, UTC. */
export function dayOf(at: Date): number {
  return Math.floor(at.getTime() / DAY_MS);
}

/** The first day that is kept. */
export function firstDayKept(now: Date): number {
  return dayOf(now) - DEVICE_DAYS_KEPT + 1;
}

/** A crash as it is counted: on the day of its upload, for the version that crashed. */
interface CountedCrash {
  modelId: number;
  firmwareVersion: string;
  deviceId: number;
  at: Date;
}

/** Counts crashes, in one statement for 1,000 devices and days. */
export async function countCrashesOfDays(tx: DbTransaction, crashes: readonly CountedCrash[]): Promise<void> {
  const counts = new Map<string, { columns: [number, number, string, number]; count: number }>();
  for (const { at, modelId, firmwareVersion, deviceId } of crashes) {
    const columns: [number, number, string, number] = [dayOf(at), modelId, firmwareVersion, deviceId];
    const key = JSON.stringify(columns);
    counts.set(key, { columns, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const rows = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { columns, count }]) => Prisma.sql`(${Prisma.join([...columns, count])})`);
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    await tx.$executeRaw`
      INSERT INTO "DeviceDay" ("slot", "modelId", "firmwareVersion", "deviceId", "crashes")
      VALUES ${Prisma.join(rows.slice(from, from + ROWS_AT_ONCE))}
      ON CONFLICT ("slot", "modelId", "firmwareVersion", "deviceId")
      DO UPDATE SET "crashes" = "DeviceDay"."crashes" + excluded."crashes"`;
  }
}

/** SQLite binds at most 32,766 values in a statement, and PostgreSQL 65,535. */
const ROWS_AT_ONCE = 1_000;

/** Takes a crash back that was counted for another version. */
export async function uncountCrashOfDay(tx: DbTransaction, crash: CountedCrash): Promise<void> {
  const { at, modelId, firmwareVersion, deviceId } = crash;
  const where = { slot: dayOf(at), modelId, firmwareVersion, deviceId };
  await tx.deviceDay.updateMany({
    where: { ...where, crashes: { gt: 0 } },
    data: { crashes: { decrement: 1 } },
  });
  const noResets = Object.fromEntries(RESET_COLUMNS.map((column) => [column, 0]));
  await tx.deviceDay.deleteMany({ where: { ...where, ...noResets, boots: 0, crashes: 0 } });
}

/** Removes the days that are older than `DEVICE_DAYS_KEPT`; nothing else removes any. */
export async function forgetDeviceDays(db: Db, now: Date): Promise<number> {
  const { count } = await db.deviceDay.deleteMany({ where: { slot: { lt: firstDayKept(now) } } });
  return count;
}
