import { setTimeout as pause } from 'node:timers/promises';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Prisma } from '../platform/database/client.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { wholeRow, wholeRows } from '../platform/database/whole-rows.js';
import type { Logger } from '../platform/logger.js';
import { coredumpKey } from './blob-keys.js';

export type LostDumps = ReturnType<typeof createLostDumps>;

/** Dumps checked concurrently: one request each if the storage is a bucket. */
const BATCH = 20;
const REMOVAL_MS = 250;

/**
 * Tracks dumps whose raw file is missing: the row exists, the bytes were not removed on purpose, and the storage has no
 * file, or a file of the wrong size. Each is recorded once, and the record is deleted when the file is present again.
 */
export function createLostDumps({ db, blobs, clock, log }: LostDumpsDeps) {
  return {
    /**
     * Call this when a file was not found.
     * @returns whether the file is lost, was removed (and why), or the dump does not exist any more
     */
    async note(id: number): Promise<{ is: 'lost' | 'gone' } | { is: 'removed'; reason: string }> {
      let dump = await findStatus(id);
      if (dump?.removedRaw === null && dump.lostRaw === null) {
        // Removal deletes the file first and records that a moment later.
        await pause(REMOVAL_MS);
        dump = await findStatus(id);
      }
      if (dump === null) return { is: 'gone' };
      if (dump.removedRaw !== null) return { is: 'removed', reason: dump.removedRaw.reason };
      if (dump.lostRaw === null) await noteLost(id, coredumpKey(dump.device.key, dump.filename));
      return { is: 'lost' };
    },

    /** Checks whether the storage has the dump's bytes. If so, its record is deleted. */
    async isThere(id: number): Promise<boolean> {
      const [dump] = wholeRows(await find({ id }), 'device');
      return dump !== undefined && look(dump);
    },

    /** Checks the raw files of all dumps, or only of those that are recorded as lost. */
    async check(which: 'all' | 'lost'): Promise<void> {
      const where = which === 'all' ? {} : { lostRaw: { isNot: null } };
      let afterId = 0;
      for (;;) {
        const dumps = await find({ ...where, id: { gt: afterId } });
        await Promise.all(wholeRows(dumps, 'device').map(look));
        const last = dumps.at(-1);
        if (last === undefined) return;
        afterId = last.id;
      }
    },

    count: (): Promise<number> => db.lostRaw.count({ where: { coredump: { removedRaw: null } } }),
  };

  async function findStatus(id: number) {
    const row = await db.coredump.findUnique({
      where: { id },
      select: { removedRaw: true, lostRaw: true, filename: true, device: { select: { key: true } } },
    });
    return wholeRow(row, 'device');
  }

  function find(where: Prisma.CoredumpWhereInput) {
    return db.coredump.findMany({
      where: { AND: [where, { removedRaw: null }] },
      select: { id: true, filename: true, size: true, lostRaw: true, device: { select: { key: true } } },
      orderBy: { id: 'asc' },
      take: BATCH,
    });
  }

  async function look(dump: Awaited<ReturnType<typeof find>>[number]): Promise<boolean> {
    const key = coredumpKey(dump.device.key, dump.filename);
    const isThere = (await blobs.sizeOf(key)) === dump.size;
    if (isThere && dump.lostRaw !== null) {
      await inTransaction(db, async (tx) => {
        const { count } = await tx.lostRaw.deleteMany({ where: { coredumpId: dump.id } });
        if (count > 0) await noteChange(tx, dump.id);
      });
      log.info({ coredumpId: dump.id, file: key }, 'the missing file of a core dump is present again');
    }
    if (!isThere && dump.lostRaw === null) await noteLost(dump.id, key);
    return isThere;
  }

  /** Selects from the dump's row, which may have been deleted in the meantime: then nothing is recorded. */
  async function noteLost(coredumpId: number, key: string): Promise<void> {
    const noted = await inTransaction(db, async (tx) => {
      const rows = await tx.$executeRaw`
        INSERT INTO "LostRaw" ("coredumpId", "noticedAt")
        SELECT c."id", ${clock.now()} FROM "Coredump" c WHERE c."id" = ${coredumpId}
        ON CONFLICT ("coredumpId") DO NOTHING`;
      if (rows > 0) await noteChange(tx, coredumpId);
      return rows;
    });
    if (noted > 0) log.error({ coredumpId, file: key }, 'the file of a core dump is missing in the storage');
  }

  async function noteChange(tx: DbTransaction, id: number): Promise<void> {
    await tx.coredump.updateMany({ where: { id }, data: { updatedAt: clock.now() } });
  }
}

interface LostDumpsDeps {
  db: Db;
  blobs: Pick<BlobStore, 'sizeOf'>;
  clock: Pick<Clock, 'now'>;
  log: Logger;
}
