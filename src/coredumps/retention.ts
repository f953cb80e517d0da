import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';
import { createRawRemoval, REMOVABLE } from './remove-raw.js';

/*
 * All that is deleted by its age or its number, and by what:
 *
 * | what                                          | when                                              | where |
 * | a device's dumps, row and file                | more than MAX_COREDUMPS: the oldest, with an upload | `retireOldest` below |
 * | raw bytes; row, text and report stay          | the model's privacy settings: once read, or by days | `createRawRetention` below |
 * | raw bytes; row, text and report stay          | all dumps are more than MAX_STORAGE_BYTES: the oldest | `storage-limit.ts` |
 * | files without a row, dumps' and builds'       | set aside by a sweep, removed 7 days later        | `orphan-sweep.ts`, `firmware/orphan-sweep.ts` |
 * | files of uploads that were never finished     | each start, and daily once they are a day old     | the same |
 * | a model's builds, row and ELF                 | more than MAX_FIRMWARES, and no dump needs them   | `firmware/retention.ts` |
 * | audit events                                  | older than AUDIT_DAYS                             | `audit/service.ts`, `forget` |
 * | deliveries of alerts                          | older than 30 days                                | `alerts/sender.ts` |
 *
 * How often each of them runs is in `compose/background-work.ts`. Crashes stay counted whatever is deleted.
 */

export interface RetiredDump {
  id: number;
  filename: string;
}

export type DumpBeyondMaximum = RetiredDump & {
  deviceId: number;
  chip: string;
  firmwareVersion: string;
  uploadedAt: Date;
  parseStatus: string;
  parseGeneration: number;
};

/**
 * Deletes the rows of each device beyond its newest `maxCoredumps`. "Newest" means the highest id, so equal times do
 * not matter. The caller deletes the files after the commit.
 */
export async function retireOldest(
  tx: DbTransaction,
  deviceIds: readonly number[],
  maxCoredumps: number,
): Promise<DumpBeyondMaximum[]> {
  return tx.$queryRaw<DumpBeyondMaximum[]>`
    DELETE FROM "Coredump" WHERE "id" IN (
      SELECT c."id" FROM "Device" d JOIN "Coredump" c ON c."deviceId" = d."id" AND c."id" <= (
        SELECT k."id" FROM "Coredump" k WHERE k."deviceId" = d."id" ORDER BY k."id" DESC LIMIT 1 OFFSET ${maxCoredumps})
      WHERE d."id" IN (${Prisma.join([...deviceIds])})
    ) RETURNING "id", "deviceId", "filename", "chip", "firmwareVersion", "uploadedAt", "parseStatus", "parseGeneration"`;
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
      for (const dump of dumps) if (await removeRaw(dump, 'PRIVACY')) removed += 1;
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
