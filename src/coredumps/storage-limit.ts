import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Prisma } from '../platform/database/client.js';
import type { Database } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import { createRawRemoval, REMOVABLE } from './remove-raw.js';

export type StorageLimit = ReturnType<typeof createStorageLimit>;

/** Dumps that are looked up at once. */
const BATCH = 100;
const TURN = 'bytes of dumps';

/**
 * `MAX_STORAGE_BYTES`: how many bytes of dumps are kept in all. Beyond it the raw bytes of the oldest go, while rows,
 * texts and reports stay; those that wait for their parse go last, since nothing of them would stay.
 */
export function createStorageLimit({ database, blobs, clock, log, maxBytes }: StorageLimitDeps) {
  const { db } = database;
  const removeRaw = createRawRemoval({ db, blobs, clock, log });
  const read: Candidates = { where: { parseStatus: { not: 'PENDING' } }, afterId: 0 };
  const all: Candidates = { where: {}, afterId: 0 };
  let running: Promise<void> | null = null;
  let isDue = false;

  return {
    /** Bytes of all dumps whose raw bytes are there, exactly. */
    storedBytes,

    /** To be called after what stores a dump. Removes what is too much in the background, one run at a time. */
    wake(): void {
      if (maxBytes === null) return;
      isDue = true;
      running ??= runWhileDue().finally(() => {
        running = null;
      });
    },

    /** Makes one row of the account, and removes what is too much: a server may have died before it did. */
    async sweep(): Promise<void> {
      await fold();
      await enforce();
    },

    /** Resolves when no removal is under way. */
    async idle(): Promise<void> {
      await running;
    },
  };

  async function runWhileDue(): Promise<void> {
    while (isDue) {
      isDue = false;
      await enforce().catch((error: unknown) =>
        log.warn({ err: error }, 'the oldest raw dumps could not be removed'),
      );
    }
  }

  async function storedBytes(): Promise<number> {
    const { _sum } = await db.storedBytes.aggregate({ _sum: { bytes: true } });
    return _sum.bytes ?? 0;
  }

  async function enforce(): Promise<void> {
    if (maxBytes === null || (await storedBytes()) <= maxBytes) return;
    await database.runExclusive(TURN, async () => {
      const excess = (await storedBytes()) - maxBytes;
      const left = await removeOldest(excess, read);
      // What has not been read goes only where nothing else is left.
      await removeOldest(left, all);
    });
  }

  /** @returns how many of so many bytes could not be removed, for there is nothing left */
  async function removeOldest(bytes: number, among: Candidates): Promise<number> {
    const left = await removeAfter(among, bytes);
    if (left <= 0 || among.afterId === 0) return left;
    // Those that were passed over may have been read meanwhile.
    among.afterId = 0;
    return removeAfter(among, left);
  }

  async function removeAfter(among: Candidates, bytes: number): Promise<number> {
    let left = bytes;
    let removed = 0;
    while (left > 0) {
      const { where, afterId } = among;
      const dumps = await db.coredump.findMany({
        where: { AND: [where, { removedRaw: null, id: { gt: afterId } }] },
        select: REMOVABLE,
        orderBy: { id: 'asc' },
        take: BATCH,
      });
      for (const dump of dumps) {
        if (left <= 0) break;
        if (await removeRaw(dump, 'STORAGE_LIMIT')) {
          left -= dump.size;
          removed += 1;
        }
        among.afterId = dump.id;
      }
      if (dumps.length === 0) break;
    }
    if (removed > 0) log.info({ removed, maxBytes }, 'removed the oldest raw dumps (MAX_STORAGE_BYTES)');
    return left;
  }

  async function fold(): Promise<void> {
    if (database.isShared) {
      // In one statement: what is committed meanwhile is neither deleted nor forgotten.
      await db.$executeRaw`WITH counted AS (DELETE FROM "StoredBytes" RETURNING "bytes")
        INSERT INTO "StoredBytes" ("bytes") SELECT coalesce(sum("bytes"), 0) FROM counted`;
      return;
    }
    await db.$transaction(async (tx) => {
      const { _sum } = await tx.storedBytes.aggregate({ _sum: { bytes: true } });
      await tx.storedBytes.deleteMany();
      await tx.storedBytes.create({ data: { bytes: _sum.bytes ?? 0 } });
    });
  }
}

/** Dumps whose raw bytes may go, from the oldest on; those up to `afterId` were looked at before. */
interface Candidates {
  readonly where: Prisma.CoredumpWhereInput;
  afterId: number;
}

interface StorageLimitDeps {
  database: Pick<Database, 'db' | 'runExclusive' | 'isShared'>;
  blobs: Pick<BlobStore, 'delete'>;
  clock: Pick<Clock, 'now'>;
  log: Logger;
  /** Null: no limit. */
  maxBytes: number | null;
}
