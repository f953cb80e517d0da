import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import { isUniqueViolation } from '../platform/database/errors.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import { coredumpKey } from './blob-keys.js';

/** Why the raw bytes of a dump were removed while its row stays. */
export const RAW_REMOVAL_REASONS = ['PRIVACY', 'STORAGE_LIMIT'] as const;
export type RawRemovalReason = (typeof RAW_REMOVAL_REASONS)[number];

/** The reason as part of a sentence. @param reason the value in the row */
export function whyRemoved(reason: string): string {
  return reason === 'STORAGE_LIMIT'
    ? 'to free space for newer ones (MAX_STORAGE_BYTES)'
    : "as its model's privacy settings require";
}

export interface RemovableDump {
  id: number;
  filename: string;
  device: { key: string };
}

export const REMOVABLE = { id: true, filename: true, size: true, device: { select: { key: true } } } as const;

/** Removes the raw bytes of dumps; row, text and report stay. */
export function createRawRemoval({ db, blobs, clock, log }: RawRemovalDeps) {
  /**
   * Deletes the file, then records the removal, so that a recorded removal is certain. After a crash in between, the
   * next run records it.
   * @returns false when it failed and the next run retries it, or when another server has done it
   */
  return async function removeRaw(dump: RemovableDump, reason: RawRemovalReason): Promise<boolean> {
    try {
      await blobs.delete(coredumpKey(dump.device.key, dump.filename));
      const at = clock.now();
      await db.fromReserve(() =>
        inTransaction(db, async (tx) => {
          await tx.removedRaw.create({ data: { coredumpId: dump.id, removedAt: at, reason } });
          await tx.coredump.updateMany({ where: { id: dump.id }, data: { updatedAt: at } });
        }),
      );
      return true;
    } catch (error) {
      const isNotedAlready = isUniqueViolation(error);
      const isGone = !isNotedAlready && (await db.coredump.count({ where: { id: dump.id } })) === 0;
      if (!isNotedAlready && !isGone) {
        log.warn(
          { err: error, coredumpId: dump.id },
          'the raw bytes of a core dump could not be removed yet',
        );
      }
      return false;
    }
  };
}

interface RawRemovalDeps {
  db: Db;
  blobs: Pick<BlobStore, 'delete'>;
  clock: Pick<Clock, 'now'>;
  log: Logger;
}
