import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';

/** A version of a model. */
export interface VersionKey {
  modelId: number;
  version: string;
}

/**
 * How a version does, by the days of its devices that are kept. Only devices that are approved, and of the model now.
 * "Reporting" are those that reported a boot with the version: of others only their crashes are known, so that shares
 * and rates would be wrong.
 */
export interface ReleaseHealth {
  deviceCount: number;
  crashedDeviceCount: number;
  bootCount: number;
  crashCount: number;
  reportingDeviceCount: number;
  /** Days on which these were heard of, each device for itself, and those of them with a crash. */
  reportingDays: number;
  crashedReportingDays: number;
  crashedReportingDeviceCount: number;
  reportingCrashCount: number;
}

export const NO_HEALTH: ReleaseHealth = {
  deviceCount: 0,
  crashedDeviceCount: 0,
  bootCount: 0,
  crashCount: 0,
  reportingDeviceCount: 0,
  reportingDays: 0,
  crashedReportingDays: 0,
  crashedReportingDeviceCount: 0,
  reportingCrashCount: 0,
};

/** In one statement, for any number of versions. @returns by `nameOf` */
export async function healthOf(db: Db, keys: readonly VersionKey[]): Promise<Map<string, ReleaseHealth>> {
  const when = (condition: string, value: string) =>
    Prisma.raw(`sum(CASE WHEN ${condition} THEN ${value} ELSE 0 END)`);
  const rows = await db.$queryRaw<Array<VersionKey & Record<keyof ReleaseHealth, number | bigint>>>`
    SELECT p."modelId", p."version", count(*) AS "deviceCount",
      ${when('p."crashes" > 0', '1')} AS "crashedDeviceCount",
      sum(p."boots") AS "bootCount", sum(p."crashes") AS "crashCount",
      ${when('p."boots" > 0', '1')} AS "reportingDeviceCount",
      ${when('p."boots" > 0', 'p."days"')} AS "reportingDays",
      ${when('p."boots" > 0', 'p."crashedDays"')} AS "crashedReportingDays",
      ${when('p."boots" > 0 AND p."crashes" > 0', '1')} AS "crashedReportingDeviceCount",
      ${when('p."boots" > 0', 'p."crashes"')} AS "reportingCrashCount"
    FROM (
      SELECT x."modelId", x."firmwareVersion" AS "version", x."deviceId", count(*) AS "days",
        sum(x."boots") AS "boots", sum(x."crashes") AS "crashes",
        sum(CASE WHEN x."crashes" > 0 THEN 1 ELSE 0 END) AS "crashedDays"
      FROM "DeviceDay" x
      JOIN "Device" d ON d."id" = x."deviceId" AND d."modelId" = x."modelId" AND d."approval" = 'APPROVED'
      WHERE ${oneOfVersions(Prisma.sql`x."modelId"`, Prisma.sql`x."firmwareVersion"`, keys)}
      GROUP BY x."modelId", x."firmwareVersion", x."deviceId"
    ) p GROUP BY p."modelId", p."version"`;
  return new Map(
    rows.map(({ modelId, version, ...counts }) => [nameOf({ modelId, version }), numbers(counts, NO_HEALTH)]),
  );
}

/** Devices whose last boot report named the version, in one statement. */
export async function runningDevices(db: Db, keys: readonly VersionKey[]): Promise<Map<string, number>> {
  const rows = await db.$queryRaw<Array<VersionKey & { count: number | bigint }>>`
    SELECT d."modelId", d."lastBootVersion" AS "version", count(*) AS "count" FROM "Device" d
    WHERE d."approval" = 'APPROVED'
      AND ${oneOfVersions(Prisma.sql`d."modelId"`, Prisma.sql`d."lastBootVersion"`, keys)}
    GROUP BY d."modelId", d."lastBootVersion"`;
  return new Map(rows.map(({ count, ...key }) => [nameOf(key), Number(count)]));
}

/** Dumps that wait for a build of the version, in one statement: those without raw bytes are never read again. */
export async function waitingDumps(db: Db, keys: readonly VersionKey[]): Promise<Map<string, number>> {
  const rows = await db.$queryRaw<Array<VersionKey & { count: number | bigint }>>`
    SELECT d."modelId", c."firmwareVersion" AS "version", count(*) AS "count"
    FROM "Coredump" c JOIN "Device" d ON d."id" = c."deviceId"
    WHERE c."parseErrorKind" IN ('missing_firmware', 'lost_firmware')
      AND ${oneOfVersions(Prisma.sql`d."modelId"`, Prisma.sql`c."firmwareVersion"`, keys)}
      AND NOT EXISTS (SELECT 1 FROM "RemovedRaw" r WHERE r."coredumpId" = c."id")
    GROUP BY d."modelId", c."firmwareVersion"`;
  return new Map(rows.map(({ count, ...key }) => [nameOf(key), Number(count)]));
}

/** Unique among versions of all models. */
export function nameOf({ modelId, version }: VersionKey): string {
  return `${modelId} ${version}`;
}

/** The condition that a row is of one of the versions. */
function oneOfVersions(model: Prisma.Sql, column: Prisma.Sql, keys: readonly VersionKey[]): Prisma.Sql {
  const byModel = new Map<number, string[]>();
  for (const { modelId, version } of keys) byModel.set(modelId, [...(byModel.get(modelId) ?? []), version]);
  const conditions = [...byModel].map(
    ([id, versions]) => Prisma.sql`(${model} = ${id} AND ${column} IN (${Prisma.join(versions)}))`,
  );
  return Prisma.sql`(${Prisma.join(conditions, ' OR ')})`;
}

/** Sums are big integers in PostgreSQL. */
function numbers(row: Record<keyof ReleaseHealth, number | bigint>, of: ReleaseHealth): ReleaseHealth {
  const values = Object.keys(of).map((name) => [name, Number(row[name as keyof ReleaseHealth])]);
  return Object.fromEntries(values) as ReleaseHealth;
}
