import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import type { Logger } from '../platform/logger.js';
import { elfKey } from './blob-keys.js';
import type { Firmware } from './types.js';

export type LostElfs = ReturnType<typeof createLostElfs>;

/**
 * Tracks builds whose ELF is missing or incomplete in the storage. Each is recorded once, and the record is deleted
 * when the ELF is present again.
 */
export function createLostElfs({ db, blobs, clock, log }: LostElfsDeps) {
  return {
    /** Call this when an ELF was not found. @returns true if the ELF is missing, false if the build was deleted */
    async note({ id }: Firmware): Promise<boolean> {
      const build = await db.firmware.findUnique({ where: { id }, include: WITH_MODEL });
      if (build === null) return false;
      if (build.lostElf === null) await noteLost(build);
      return true;
    },

    /** Checks whether the storage has the build's ELF. If so, its record is deleted. */
    async isThere({ id }: Pick<Firmware, 'id'>): Promise<boolean> {
      const build = await db.firmware.findUnique({ where: { id }, include: WITH_MODEL });
      return build !== null && look(build);
    },

    /** Checks every ELF, or only those that are recorded as missing. */
    async check(which: 'all' | 'lost'): Promise<void> {
      const builds = await db.firmware.findMany({
        where: which === 'all' ? {} : { lostElf: { isNot: null } },
        include: WITH_MODEL,
      });
      for (const build of wholeRows(builds, 'model')) await look(build);
    },

    count: (): Promise<number> => db.lostElf.count(),
  };

  async function look(build: BuildWithModel): Promise<boolean> {
    const key = elfKey(build.model.code, build.elfSha256);
    const isThere = (await blobs.sizeOf(key)) === build.size;
    if (isThere && build.lostElf !== null) {
      await inTransaction(db, async (tx) => {
        const { count } = await tx.lostElf.deleteMany({ where: { firmwareId: build.id } });
        if (count > 0) await noteChange(tx, build.id);
      });
      log.info({ firmwareId: build.id, file: key }, 'the missing ELF of a firmware is present again');
    }
    if (!isThere && build.lostElf === null) await noteLost(build);
    return isThere;
  }

  /** Selects from the build's row, which may have been deleted in the meantime: then nothing is recorded. */
  async function noteLost({ id, version, elfSha256, model }: BuildWithModel): Promise<void> {
    const noted = await inTransaction(db, async (tx) => {
      const rows = await tx.$executeRaw`
        INSERT INTO "LostElf" ("firmwareId", "noticedAt")
        SELECT f."id", ${clock.now()} FROM "Firmware" f WHERE f."id" = ${id}
        ON CONFLICT ("firmwareId") DO NOTHING`;
      if (rows > 0) await noteChange(tx, id);
      return rows;
    });
    if (noted === 0) return;
    log.error(
      { firmwareId: id, modelCode: model.code, version, file: elfKey(model.code, elfSha256) },
      'the ELF of a firmware is missing in the storage: upload the same ELF again',
    );
  }

  async function noteChange(tx: DbTransaction, id: number): Promise<void> {
    await tx.firmware.updateMany({ where: { id }, data: { updatedAt: clock.now() } });
  }
}

const WITH_MODEL = { model: { select: { code: true } }, lostElf: true } as const;
type BuildWithModel = Firmware & { model: { code: string }; lostElf: object | null };

interface LostElfsDeps {
  db: Db;
  blobs: Pick<BlobStore, 'sizeOf'>;
  clock: Pick<Clock, 'now'>;
  log: Logger;
}
