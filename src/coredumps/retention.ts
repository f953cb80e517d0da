import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';
import { createRawRemoval, REMOVABLE } from './remove-raw.js';

export type RawRetention = ReturnType<typeof createRawRetention>;

/** Dumps that are looked up at once. */
const BATCH = 200;

/** Removes the raw bytes of dumps when their model's privacy settings say so. Row, text and report stay. */
export function createRawRetention({ db, blobs, clock, log }: RawRetentionDeps) {
  const removeRaw = createRawRemoval({ db, blobs, clock, log });

  return {
    /** To be called when a dump was read. What goes wrong is left to the next sweep. */
    async afterReading({ id, deviceId }: { id: number; deviceId: number }): Promise<void> {
      try {
        const model = { devices: { some: { id: deviceId } } };
        const privacy = await db.modelPrivacy.findFirst({ where: { removeRawOnceRead: true, model } });
        if (privacy !== null) await removeAll({ id, parseStatus: 'PARSED' });
      } catch (error) {
        log.warn({ err: error, coredumpId: id }, 'the raw bytes of a core dump could not be removed yet');
      }
    },

    /** Everything that is due: from time to time. @returns how many */
    sweep,

    /** The same at the start and after a change of the settings. Resolves in any case: what fails is left to the next sweep. */
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
    if (removed > 0) log.info({ removed }, 'removed the raw bytes of core dumps, as privacy settings say');
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
