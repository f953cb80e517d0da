import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import { elfKey } from './blob-keys.js';
import type { Firmware } from './types.js';

export type LostElfs = ReturnType<typeof createLostElfs>;

/**
 * Which builds the storage has lost: their rows are there, and their ELFs are not, or not whole. Each is noted once,
 * and forgotten when its ELF is there again.
 */
export function createLostElfs({ db, blobs, clock, log }: LostElfsDeps) {
  return {
    /** To be called when an ELF was not found. @returns whether it is lost; else its build is gone */
    async note({ id }: Firmware): Promise<boolean> {
      const build = await db.firmware.findUnique({ where: { id }, include: WITH_MODEL });
      if (build === null) return false;
      if (build.lostElf === null) await noteLost(build);
      return true;
    },

    /** Whether the storage has the build's ELF; then it is not lost any more. */
    async isThere({ id }: Pick<Firmware, 'id'>): Promise<boolean> {
      const build = await db.firmware.findUnique({ where: { id }, include: WITH_MODEL });
      return build !== null && look(build);
    },

    /** Looks for every ELF, or for those that are noted as lost only. */
    async check(which: 'all' | 'lost'): Promise<void> {
      const builds = await db.firmware.findMany({
        where: which === 'all' ? {} : { lostElf: { isNot: null } },
        include: WITH_MODEL,
      });
      for (const build of builds) await look(build);
    },

    count: (): Promise<number> => db.lostElf.count(),
  };

  async function look(build: BuildWithModel): Promise<boolean> {
    const key = elfKey(build.model.code, build.elfSha256);
    const isThere = (await blobs.sizeOf(key)) === build.size;
    if (isThere && build.lostElf !== null) {
      await db.lostElf.deleteMany({ where: { firmwareId: build.id } });
      log.info({ firmwareId: build.id, file: key }, 'the lost ELF of a firmware is there again');
    }
    if (!isThere && build.lostElf === null) await noteLost(build);
    return isThere;
  }

  /** By the row of the build, which may have been deleted meanwhile: then nothing is lost. */
  async function noteLost({ id, version, elfSha256, model }: BuildWithModel): Promise<void> {
    const noted = await db.$executeRaw`
      INSERT INTO "LostElf" ("firmwareId", "noticedAt")
      SELECT f."id", ${clock.now()} FROM "Firmware" f WHERE f."id" = ${id}
      ON CONFLICT ("firmwareId") DO NOTHING`;
    if (noted === 0) return;
    log.error(
      { firmwareId: id, modelCode: model.code, version, file: elfKey(model.code, elfSha256) },
      'the storage has lost the ELF of a firmware: upload the same ELF again',
    );
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
