import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Prisma } from '../platform/database/client.js';
import type { Database } from '../platform/database/types.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import type { Logger } from '../platform/logger.js';
import { createRawRemoval, REMOVABLE } from './remove-raw.js';

export type StorageLimit = ReturnType<typeof createStorageLimit>;

/** Dumps in one batch. */
const BATCH = 100;
const LOCK_NAME = 'bytes of dumps';

/**
 * Enforces `MAX_STORAGE_BYTES`, the bytes of all stored dumps. Beyond it, the raw bytes of the oldest dumps are
 * removed; rows, texts and reports stay. PENDING dumps come last, because they have no report yet.
 */
export function createStorageLimit({ database, blobs, clock, log, maxBytes }: StorageLimitDeps) {
  const { db } = database;
  const removeRaw = createRawRemoval({ db, blobs, clock, log });
  const read: Candidates = { where: { parseStatus: { not: 'PENDING' } }, afterId: 0 };
  const all: Candidates = { where: {}, afterId: 0 };
  let running: Promise<void> | null = null;
  let isDue = false;

  return {
    /** Exact number of bytes of all dumps whose raw bytes are stored. */
    storedBytes,

    /** Call this after a dump was stored. Removes the excess in the background, one run at a time. */
    wake(): void {
      if (maxBytes === null) return;
      isDue = true;
      running ??= runWhileDue().finally(() => {
        running = null;
      });
    },

    /** Folds the account of stored bytes into one row and removes the excess: a server may have died before it did. */
    async sweep(): Promise<void> {
      await fold();
      await enforce();
    },

    /** Resolves when no removal is running. */
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
    await database.runExclusive(LOCK_NAME, async () => {
      const excess = (await storedBytes()) - maxBytes;
      const left = await removeOldest(excess, read);
      // Dumps that were not parsed yet are removed only when nothing else is left.
      await removeOldest(left, all);
    });
  }

  /** @returns how many of these bytes could not be removed, because no dump is left */
  async function removeOldest(bytes: number, among: Candidates): Promise<number> {
    const left = await removeAfter(among, bytes);
    if (left <= 0 || among.afterId === 0) return left;
    // Dumps that were skipped may have been parsed in the meantime.
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
      for (const dump of wholeRows(dumps, 'device')) {
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
      // One statement: bytes that are committed at the same time are neither deleted nor missed.
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

/** Dumps whose raw bytes may be removed, oldest first; those up to `afterId` were already checked. */
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
