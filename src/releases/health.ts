import { NO_RESETS, numbersOf, type ResetCounts } from '../devices/reset-counts.js';
import { RESET_COLUMNS, sumOfKind, sumOfResets } from '../devices/reset-reasons.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { SUMMED_RESETS, UNREPORTED } from './resets.js';

/** A version of a model. */
export interface VersionKey {
  modelId: number;
  version: string;
}

/**
 * How a version does, by the days of its devices that are kept. Only devices that are approved, and of the model now.
 * "Reporting" are those that reported a boot with the version: of others only their crashes are known, so that shares
 * and rates would be wrong. A device crashed when a crash arrived, or when a boot says that a crash ended the run.
 */
export interface ReleaseHealth extends ResetCounts {
  deviceCount: number;
  crashedDeviceCount: number;
  bootCount: number;
  /** Crashes that arrived. */
  crashCount: number;
  reportingDeviceCount: number;
  /** Days on which these were heard of, each device for itself, and those of them with a crash. */
  reportingDays: number;
  crashedReportingDays: number;
  /** Those with a crash that arrived. */
  arrivedReportingDays: number;
  crashedReportingDeviceCount: number;
  /** Crashes that arrived, and those that only boots tell of. */
  reportingCrashCount: number;
  /** Crashes that only boots tell of. */
  unreportedCrashCount: number;
  /** Runs whose version is known; those that a crash ended; those whose length was told, and its sum. */
  runCount: number;
  crashedRunCount: number;
  timedRunCount: number;
  runSeconds: number;
}

export const NO_HEALTH: ReleaseHealth = {
  ...NO_RESETS,
  deviceCount: 0,
  crashedDeviceCount: 0,
  bootCount: 0,
  crashCount: 0,
  reportingDeviceCount: 0,
  reportingDays: 0,
  crashedReportingDays: 0,
  arrivedReportingDays: 0,
  crashedReportingDeviceCount: 0,
  reportingCrashCount: 0,
  unreportedCrashCount: 0,
  runCount: 0,
  crashedRunCount: 0,
  timedRunCount: 0,
  runSeconds: 0,
};

/** In one statement, for any number of versions. @returns by `nameOf` */
export async function healthOf(db: Db, keys: readonly VersionKey[]): Promise<Map<string, ReleaseHealth>> {
  const when = (condition: string, value: string) =>
    Prisma.raw(`sum(CASE WHEN ${condition} THEN ${value} ELSE 0 END)`);
  const crashResets = Prisma.raw(sumOfKind('CRASH', 'x'));
  const rows = await db.$queryRaw<Array<VersionKey & Record<keyof ReleaseHealth, number | bigint>>>`
    SELECT p."modelId", p."version", count(*) AS "deviceCount",
      ${when('p."crashes" > 0 OR p."crashResets" > 0', '1')} AS "crashedDeviceCount",
      sum(p."boots") AS "bootCount", sum(p."crashes") AS "crashCount",
      ${when(REPORTS, '1')} AS "reportingDeviceCount",
      ${when(REPORTS, 'p."days"')} AS "reportingDays",
      ${when(REPORTS, 'p."crashedDays"')} AS "crashedReportingDays",
      ${when(REPORTS, 'p."arrivedDays"')} AS "arrivedReportingDays",
      ${when(`${REPORTS} AND (p."crashes" > 0 OR p."crashResets" > 0)`, '1')} AS "crashedReportingDeviceCount",
      ${when(REPORTS, `p."crashes" + ${UNREPORTED}`)} AS "reportingCrashCount",
      ${when(REPORTS, UNREPORTED)} AS "unreportedCrashCount",
      sum(p."runs") AS "runCount", sum(p."crashedRuns") AS "crashedRunCount",
      sum(p."timedRuns") AS "timedRunCount", sum(p."runSeconds") AS "runSeconds", ${SUMMED_RESETS}
    FROM (
      SELECT x."modelId", x."firmwareVersion" AS "version", x."deviceId", count(*) AS "days",
        sum(x."boots") AS "boots", sum(x."crashes") AS "crashes",
        sum(${crashResets}) AS "crashResets", sum(${Prisma.raw(sumOfResets('x'))}) AS "resets",
        sum(CASE WHEN x."crashes" > 0 OR ${crashResets} > 0 THEN 1 ELSE 0 END) AS "crashedDays",
        sum(CASE WHEN x."crashes" > 0 THEN 1 ELSE 0 END) AS "arrivedDays",
        ${Prisma.raw([...RESET_COLUMNS, 'runs', 'crashedRuns', 'timedRuns', 'runSeconds'].map((name) => `sum(x."${name}") AS "${name}"`).join(', '))}
      FROM "DeviceDay" x
      JOIN "Device" d ON d."id" = x."deviceId" AND d."modelId" = x."modelId" AND d."approval" = 'APPROVED'
      WHERE ${oneOfVersions(Prisma.sql`x."modelId"`, Prisma.sql`x."firmwareVersion"`, keys)}
      GROUP BY x."modelId", x."firmwareVersion", x."deviceId"
    ) p GROUP BY p."modelId", p."version"`;
  return new Map(
    rows.map(({ modelId, version, ...counts }) => [
      nameOf({ modelId, version }),
      numbersOf(counts, NO_HEALTH),
    ]),
  );
}

/** A device of which a boot is known. */
const REPORTS = '(p."boots" > 0 OR p."resets" > 0)';

/**
 * Devices whose last boot report named the version, in one statement.
 * @param silentSince only those that were not heard of since then
 */
export async function runningDevices(
  db: Db,
  keys: readonly VersionKey[],
  silentSince?: Date,
): Promise<Map<string, number>> {
  const silent = silentSince === undefined ? Prisma.sql`1 = 1` : Prisma.sql`d."lastSeenAt" < ${silentSince}`;
  const rows = await db.$queryRaw<Array<VersionKey & { count: number | bigint }>>`
    SELECT d."modelId", d."lastBootVersion" AS "version", count(*) AS "count" FROM "Device" d
    WHERE d."approval" = 'APPROVED' AND ${silent}
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
