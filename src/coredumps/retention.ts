/*
 * What is deleted when? ARCHITECTURE.md has the same list as a table, and a test compares the two.
 *
 * - a dump, row and file: its device has more than MAX_COREDUMPS: the oldest, in the transaction that adds one
 *   (src/coredumps/retention.ts)
 * - raw bytes of a dump: its model has removeRawOnceRead or keepRawDays; row, text and report stay
 *   (src/coredumps/retention.ts)
 * - raw bytes of the oldest dumps: all dumps are more than MAX_STORAGE_BYTES; those not read yet go last
 *   (src/coredumps/storage-limit.ts)
 * - a firmware build, row and ELF: its model has more than MAX_FIRMWARES: the oldest that no kept dump needs
 *   (src/firmware/retention.ts)
 * - a file without a row: 7 days after a sweep has set it aside; never while the database is older than the storage
 *   (src/coredumps/orphan-sweep.ts, src/firmware/orphan-sweep.ts)
 * - an unfinished upload: at the start, and daily once it is a day old
 *   (src/coredumps/orphan-sweep.ts, src/firmware/orphan-sweep.ts)
 * - the copies of dump and ELF for a parse: after each attempt; what a dead server left, at the start
 *   (src/coredumps/parse-job.ts, src/coredumps/parsing.ts)
 * - an audit event: it is older than AUDIT_DAYS
 *   (src/audit/service.ts)
 * - a day of a device: it is older than 180 days
 *   (src/devices/device-days.ts)
 * - a session of a browser: it was signed out, or has ended: 30 days after its last use, with its token, or at the issuer
 *   (src/sessions/service.ts)
 * - a change of the change feed: it is older than 24 hours, or there are 200,000 newer ones
 *   (src/changes/service.ts)
 * - a delivery of an alert: it has ended and is older than 30 days
 *   (src/alerts/sender.ts)
 * - a share link: its dump is deleted; one that has expired or was revoked stays until then, to be listed
 *   (src/coredumps/share-links.ts)
 * - a crash group: it has no crash left, because they were moved or it was merged; never by age
 *   (src/crash-groups/record-crash.ts, src/crash-groups/merge.ts)
 * - a dump, a device with its dumps: a person asks: at once, in one transaction with the audit event
 *   (src/coredumps/lifecycle.ts, src/devices/service.ts)
 * - dumps that match a filter: a person asks: in batches, each in one transaction with its audit event
 *   (src/coredumps/delete-by-filter.ts)
 * - a build, an alert rule: a person asks: at once, in one transaction with the audit event
 *   (src/firmware/service.ts, src/alerts/service.ts)
 * - a model without devices, with its builds (rows and ELFs) and privacy settings: a person asks: at once, in one
 *   transaction with the audit event; its alert rules are switched off, its counters stay
 *   (src/devices/models.ts)
 *
 * How often the sweeps run is in `compose/background-work.ts`. A row is deleted before its file: a server that dies in
 * between leaves a file without a row, never a row without its file. Crashes stay counted, whatever is deleted.
 */

import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';
import { createRawRemoval, REMOVABLE } from './remove-raw.js';

export interface RetiredDump {
  id: number;
  filename: string;
}

export type DumpBeyondMaximum = RetiredDump & {
  deviceId: number;
  chip: string;
  /** The version that crashed. */
  firmwareVersion: string;
  uploadedAt: Date;
  parseStatus: string;
  parseGeneration: number;
};

/**
 * Dumps of a device that waits for approval. With `MAX_PENDING_DEVICES` it limits what strangers with an ingest key can
 * store; a few are enough to see what the device is.
 */
const MAX_OF_PENDING = 3;

export function maxOfPending(maxCoredumps: number): number {
  return Math.min(MAX_OF_PENDING, maxCoredumps);
}

/**
 * Deletes the rows of each device beyond its newest `maxCoredumps`. "Newest" means the highest id, so equal times do
 * not matter. The caller deletes the files after the commit.
 */
export async function retireOldest(
  tx: DbTransaction,
  deviceIds: readonly number[],
  maxCoredumps: number,
): Promise<DumpBeyondMaximum[]> {
  if (deviceIds.length === 0) return [];
  return tx.$queryRaw<DumpBeyondMaximum[]>`
    DELETE FROM "Coredump" WHERE "id" IN (
      SELECT c."id" FROM "Device" d JOIN "Coredump" c ON c."deviceId" = d."id" AND c."id" <= (
        SELECT k."id" FROM "Coredump" k WHERE k."deviceId" = d."id" ORDER BY k."id" DESC LIMIT 1 OFFSET ${maxCoredumps})
      WHERE d."id" IN (${Prisma.join([...deviceIds])})
    ) RETURNING "id", "deviceId", "filename", "chip", coalesce(nullif("crashVersion", ''), "firmwareVersion") AS "firmwareVersion",
      "uploadedAt", "parseStatus", "parseGeneration"`;
}

export type RawRetention = ReturnType<typeof createRawRetention>;

/** Dumps in one batch. */
const BATCH = 200;

/** Removes the raw bytes of dumps as their model's privacy settings require. Row, text and report stay. */
export function createRawRetention({ db, blobs, clock, log }: RawRetentionDeps) {
  const removeRaw = createRawRemoval({ db, blobs, clock, log });

  return {
    /** Call this when a dump was parsed. The next sweep retries failures. */
    async afterReading({ id, deviceId }: { id: number; deviceId: number }): Promise<void> {
      try {
        const model = { devices: { some: { id: deviceId } } };
        const privacy = await db.modelPrivacy.findFirst({ where: { removeRawOnceRead: true, model } });
        if (privacy !== null) await removeAll({ id, parseStatus: 'PARSED' });
      } catch (error) {
        log.warn({ err: error, coredumpId: id }, 'the raw bytes of a core dump could not be removed yet');
      }
    },

    /** Removes everything that is due, for periodic runs. @returns the number of dumps */
    sweep,

    /** The same at the start and after a change of the settings. Never rejects: the next sweep retries failures. */
    async sweepSoon(): Promise<void> {
      await sweep().catch((error: unknown) => log.warn({ err: error }, 'raw dumps could not be swept'));
    },
  };

  async function sweep(): Promise<number> {
    let removed = 0;
    for (const { modelId, removeRawOnceRead, keepRawDays } of await db.modelPrivacy.findMany()) {
      const due: Prisma.CoredumpWhereInput[] = [];
      if (removeRawOnceRead) due.push({ parseStatus: 'PARSED' });
      if (keepRawDays !== null) {
        due.push({ uploadedAt: { lt: new Date(clock.now().getTime() - keepRawDays * DAY_MS) } });
      }
      if (due.length > 0) removed += await removeAll({ device: { modelId }, OR: due });
    }
    if (removed > 0)
      log.info({ removed }, 'removed the raw bytes of core dumps, as the privacy settings require');
    return removed;
  }

  async function removeAll(where: Prisma.CoredumpWhereInput): Promise<number> {
    let afterId = 0;
    let removed = 0;
    for (;;) {
      const dumps = await db.coredump.findMany({
        where: { AND: [where, { removedRaw: null, id: { gt: afterId } }] },
        select: REMOVABLE,
        orderBy: { id: 'asc' },
        take: BATCH,
      });
      for (const dump of wholeRows(dumps, 'device')) if (await removeRaw(dump, 'PRIVACY')) removed += 1;
      const last = dumps.at(-1);
      if (last === undefined) return removed;
      afterId = last.id;
    }
  }
}

interface RawRetentionDeps {
  db: Db;
  blobs: Pick<BlobStore, 'delete'>;
  clock: Pick<Clock, 'now'>;
  log: Logger;
}
