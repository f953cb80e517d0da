import { notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { Prisma } from '../platform/database/client.js';
import { asDomainError } from '../platform/database/errors.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Database, DbTransaction } from '../platform/database/types.js';
import { createBatcher } from '../platform/queue/batcher.js';
import {
  type BootCounts,
  type BootReport,
  countBoot,
  isRepeated,
  jsonRows,
  type LastBoot,
  writeBootCounts,
  writeCrashDays,
} from './boot-counters.js';
import { createVersionLimit } from './version-limit.js';

export type BootReports = ReturnType<typeof createBootReports>;

/**
 * A group costs the same few statements and one fsync, whatever its size, and nobody waits for a report: while several
 * arrive they are gathered for a fifth of a second, so that 10,000 a minute are five commits a second.
 */
const MAX_GROUP = 500;
const GATHER_MS = 200;

interface Item {
  deviceId: number;
  report: BootReport;
}

/** Stores the last start of each device, and counts its day. Reports that arrive together share their statements. */
export function createBootReports({ database, clock, onChange }: BootReportDeps) {
  const versions = createVersionLimit();
  const add = createBatcher<Item, boolean>({
    maxItems: MAX_GROUP,
    gatherMs: GATHER_MS,
    async run(items) {
      const now = clock.now();
      const { known, changed } = await inTransaction(database.db, async (tx) => {
        const last = await lockLastBoots(tx, items, database);
        return { known: last, changed: await store(tx, items, { last, now }) };
      });
      for (const deviceId of changed) versions.note(deviceId, now);
      onChange();
      return items.map(({ deviceId }) => known.has(deviceId));
    },
  });

  /** @returns for each change of a version its device */
  async function store(
    tx: DbTransaction,
    items: readonly Item[],
    { last, now }: { last: ReadonlyMap<number, LastBoot | null>; now: Date },
  ): Promise<number[]> {
    const { isShared } = database;
    const changed: number[] = [];
    const boots = new Map(last);
    const counts = new Map<string, BootCounts>();
    for (const { deviceId, report } of items) {
      const before = boots.get(deviceId);
      if (before === undefined) continue;
      const isAgain = before !== null && isRepeated(report, before, now);
      boots.set(deviceId, { ...report, at: isAgain ? before.at : now });
      if (isAgain) continue;
      if (before !== null && before.firmwareVersion !== report.firmwareVersion) changed.push(deviceId);
      if (!versions.isOver(deviceId, now)) countBoot(counts, deviceId, { report, last: before });
    }
    await writeLastBoots(tx, boots, { now, isShared });
    await writeBootCounts(tx, [...counts.values()], { now, isShared });
    await writeCrashDays(tx, [...counts.values()], { now, isShared });
    return changed;
  }

  return {
    /** @throws DomainError NOT_FOUND when the device was deleted in the meantime, UNAVAILABLE, STORAGE_FULL */
    async record(device: { id: number; key: string }, report: BootReport): Promise<void> {
      const isKnown = await add({ deviceId: device.id, report }).catch((error: unknown) => {
        throw asDomainError(error);
      });
      if (!isKnown) throw notFound('device', device.key);
    },
  };
}

/**
 * First statement of the transaction; SQLite has its write lock already.
 * @returns the last boot of each device that exists, in the order of their ids; null: it has not reported one yet
 */
async function lockLastBoots(
  tx: DbTransaction,
  items: readonly Item[],
  { isShared }: Pick<Database, 'isShared'>,
): Promise<Map<number, LastBoot | null>> {
  const ids = [...new Set(items.map(({ deviceId }) => deviceId))].map((id) => [id]);
  const lock = isShared ? Prisma.sql`FOR UPDATE OF d` : Prisma.empty;
  const rows = await tx.$queryRaw<LastBootRow[]>`
    SELECT d."id", d."lastBootAt" AS "at", d."lastBootVersion" AS "firmwareVersion", d."lastBootChip" AS "chip",
      d."lastBootElfSha256" AS "elfSha256", d."lastResetReason" AS "resetReason",
      d."lastBootUptimeSeconds" AS "uptimeSeconds", d."lastBootCrashPending" AS "crashPending"
    FROM ${jsonRows(ids, isShared)} JOIN "Device" d ON d."id" = CAST(n."value" ->> 0 AS INTEGER)
    ORDER BY d."id" ${lock}`;
  return new Map(
    rows.map(({ id, at, firmwareVersion, ...rest }) => [
      id,
      at === null || firmwareVersion === null ? null : { ...rest, at, firmwareVersion },
    ]),
  );
}

type LastBootRow = { id: number } & Omit<LastBoot, 'at' | 'firmwareVersion'> & {
    at: Date | null;
    firmwareVersion: string | null;
  };

/** `lastBootAt` stays as it is where a report came again: that is how long the device runs. */
async function writeLastBoots(
  tx: DbTransaction,
  boots: ReadonlyMap<number, LastBoot | null>,
  { now, isShared }: { now: Date } & Pick<Database, 'isShared'>,
): Promise<void> {
  const rows = [...boots].flatMap(([id, boot]) => {
    if (boot === null) return [];
    const { firmwareVersion, chip, elfSha256, resetReason, uptimeSeconds, crashPending, at } = boot;
    const pending = crashPending === null ? null : crashPending ? 'yes' : 'no';
    const began = at.getTime() === now.getTime() ? 'now' : 'before';
    return [[id, firmwareVersion, chip, elfSha256, resetReason, uptimeSeconds, pending, began]];
  });
  await tx.$executeRaw`
    UPDATE "Device" SET "lastSeenAt" = ${now}, "lastBootVersion" = n."value" ->> 1, "lastBootChip" = n."value" ->> 2,
      "lastBootElfSha256" = n."value" ->> 3, "lastResetReason" = n."value" ->> 4,
      "lastBootUptimeSeconds" = CAST(n."value" ->> 5 AS INTEGER),
      "lastBootCrashPending" = CASE n."value" ->> 6 WHEN 'yes' THEN TRUE WHEN 'no' THEN FALSE END,
      "lastBootAt" = CASE n."value" ->> 7 WHEN 'now' THEN CAST(${now} AS ${Prisma.raw(isShared ? 'timestamp(3)' : 'INTEGER')})
        ELSE "Device"."lastBootAt" END
    FROM ${jsonRows(rows, isShared)} WHERE "Device"."id" = CAST(n."value" ->> 0 AS INTEGER)`;
}

interface BootReportDeps {
  database: Pick<Database, 'db' | 'isShared'>;
  clock: Pick<Clock, 'now'>;
  /** Called after each commit. */
  onChange: () => void;
}
