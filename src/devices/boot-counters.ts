import { Prisma } from '../platform/database/client.js';
import type { Database, DbTransaction } from '../platform/database/types.js';
import { dayOf } from './device-days.js';
import { ALL_RESET_REASONS, isCrash, RESET_COLUMNS, RESET_REASONS, resetReasonOf } from './reset-reasons.js';

/**
 * What boot reports add to the days of devices. A boot counts for the version that starts. It also ends a run, which counts
 * for the version that ran: the one of the report before. Counters only, so that nothing grows with the number of boots.
 */

/** What a device says of its start, and of the run before it. */
export interface BootReport {
  firmwareVersion: string;
  chip: string | null;
  /** Leading hexadecimal digits of the SHA-256 of the ELF that it runs, in lower case. */
  elfSha256: string | null;
  /** ESP-IDF's name without `ESP_RST_`, in lower case. */
  resetReason: string | null;
  /** Whole seconds that the run before lasted; null: not told. */
  uptimeSeconds: number | null;
  /** Whether a crash waits on the device to be uploaded; null: not told. */
  crashPending: boolean | null;
}

/** What a device said at its last boot. */
export interface LastBoot extends BootReport {
  at: Date;
}

/** What is added to a row of `DeviceDay`: booted, ended by each reason, runs, crashed and timed ones, their seconds. */
export interface BootCounts {
  deviceId: number;
  version: string;
  boots: number;
  resets: number[];
  runs: number;
  crashedRuns: number;
  timedRuns: number;
  runSeconds: number;
}

/** Adds a boot. @param last the boot before it; null: none is known */
export function countBoot(
  counts: Map<string, BootCounts>,
  deviceId: number,
  { report, last }: { report: BootReport; last: Pick<LastBoot, 'firmwareVersion'> | null },
): void {
  rowOf(counts, deviceId, report.firmwareVersion).boots += 1;
  const ended = rowOf(counts, deviceId, last?.firmwareVersion ?? report.firmwareVersion);
  const reason = resetReasonOf(report.resetReason);
  const at = RESET_COLUMNS.indexOf(RESET_REASONS[reason].column);
  ended.resets[at] = (ended.resets[at] ?? 0) + 1;
  // Without an earlier report nobody knows which version ran.
  if (last === null) return;
  ended.runs += 1;
  if (isCrash(reason)) ended.crashedRuns += 1;
  if (report.uptimeSeconds === null) return;
  ended.timedRuns += 1;
  ended.runSeconds += report.uptimeSeconds;
}

function rowOf(counts: Map<string, BootCounts>, deviceId: number, version: string): BootCounts {
  const key = `${deviceId} ${version}`;
  const known = counts.get(key);
  if (known !== undefined) return known;
  const row = {
    ...{ deviceId, version, boots: 0, resets: RESET_COLUMNS.map(() => 0) },
    ...{ runs: 0, crashedRuns: 0, timedRuns: 0, runSeconds: 0 },
  };
  counts.set(key, row);
  return row;
}

/** Reports without a time of the run before: a device tries again after 15 to some 30 seconds, and then later. */
const REPEATED_WITHIN_MS = 60_000;

/**
 * Whether a report is the last one again, because the device did not get its answer. Both say the same, and too little time
 * has passed for another run of that length. Half of it, since the first report may have come late in its run. So a device
 * that crashes again and again after the same number of seconds is counted each time.
 */
export function isRepeated(report: BootReport, last: LastBoot, now: Date): boolean {
  const { uptimeSeconds } = report;
  const isSame =
    report.firmwareVersion === last.firmwareVersion &&
    report.elfSha256 === last.elfSha256 &&
    report.chip === last.chip &&
    report.resetReason === last.resetReason &&
    uptimeSeconds === last.uptimeSeconds;
  const passedMs = now.getTime() - last.at.getTime();
  const withinMs = uptimeSeconds === null ? REPEATED_WITHIN_MS : uptimeSeconds * 500;
  return isSame && passedMs >= 0 && passedMs < withinMs;
}

const COUNTERS = ['boots', ...RESET_COLUMNS, 'runs', 'crashedRuns', 'timedRuns', 'runSeconds'] as const;

/** Adds to the days of devices, in one statement. A device that was deleted meanwhile is left out. */
export async function writeBootCounts(
  tx: DbTransaction,
  counts: readonly BootCounts[],
  { now, isShared }: { now: Date } & Pick<Database, 'isShared'>,
): Promise<void> {
  if (counts.length === 0) return;
  const rows = counts.map(
    ({ deviceId, version, boots, resets, runs, crashedRuns, timedRuns, runSeconds }) => [
      ...[deviceId, version, boots, ...resets, runs, crashedRuns, timedRuns, runSeconds],
    ],
  );
  // Always in the same order, so that two transactions never wait for each other's rows.
  await tx.$executeRaw`
    INSERT INTO "DeviceDay" ("slot", "modelId", "firmwareVersion", "deviceId", ${COLUMNS})
    SELECT CAST(${dayOf(now)} AS INTEGER), d."modelId", n."value" ->> 1, d."id", ${VALUES}
    FROM ${jsonRows(rows, isShared)} JOIN "Device" d ON d."id" = CAST(n."value" ->> 0 AS INTEGER)
    WHERE 1 = 1 ORDER BY d."modelId", n."value" ->> 1, d."id"
    ON CONFLICT ("slot", "modelId", "firmwareVersion", "deviceId") DO UPDATE SET ${ADDITIONS}`;
}

/**
 * The devices whose boots say that they crashed have crashed on that day, as those have whose crashes arrived
 * (src/crash-groups/crash-days.ts), whether a crash arrives or not.
 */
export async function writeCrashDays(
  tx: DbTransaction,
  counts: readonly BootCounts[],
  { now, isShared }: { now: Date } & Pick<Database, 'isShared'>,
): Promise<void> {
  const crashed = counts.filter(({ resets }) =>
    resets.some((count, at) => count > 0 && IS_CRASH[at] === true),
  );
  if (crashed.length === 0) return;
  const ids = [...new Set(crashed.map(({ deviceId }) => deviceId))].map((id) => [id]);
  await tx.$executeRaw`
    INSERT INTO "CrashDay" ("slot", "modelId", "deviceId")
    SELECT CAST(${dayOf(now)} AS INTEGER), d."modelId", d."id"
    FROM ${jsonRows(ids, isShared)} JOIN "Device" d ON d."id" = CAST(n."value" ->> 0 AS INTEGER)
    WHERE 1 = 1 ORDER BY d."modelId", d."id"
    ON CONFLICT ("slot", "modelId", "deviceId") DO NOTHING`;
}

/** For each of the counters. */
const IS_CRASH = ALL_RESET_REASONS.map(isCrash);

const COLUMNS = Prisma.raw(COUNTERS.map((name) => `"${name}"`).join(', '));
const VALUES = Prisma.raw(
  COUNTERS.map(
    (name, at) =>
      `CAST(n."value" ->> ${at + 2} AS ${name === 'runSeconds' ? 'DOUBLE PRECISION' : 'INTEGER'})`,
  ).join(', '),
);
const ADDITIONS = Prisma.raw(
  COUNTERS.map((name) => `"${name}" = "DeviceDay"."${name}" + excluded."${name}"`).join(', '),
);

/**
 * Rows as one bound value: the statement is the same for any number of them, so it is prepared once. Each row is an array,
 * `n."value"`, whose elements are texts in PostgreSQL (`->>`) and need a CAST.
 */
export function jsonRows(rows: ReadonlyArray<readonly unknown[]>, isShared: boolean): Prisma.Sql {
  const json = JSON.stringify(rows);
  return isShared
    ? Prisma.sql`jsonb_array_elements(CAST(${json} AS jsonb)) AS n("value")`
    : Prisma.sql`json_each(${json}) n`;
}
