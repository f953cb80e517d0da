import { diskSpace } from '../platform/files/disk-space.js';
import type { StorageLimit } from './storage-limit.js';

/** How full something is that has an end. */
export interface StorageUse {
  /** MAX_STORAGE_BYTES, or a disk. */
  of: 'LIMIT' | 'DISK';
  usedBytes: number;
  limitBytes: number;
}

/**
 * Reads how full the storage is: by MAX_STORAGE_BYTES or a disk, whichever is nearer to its end.
 * @param disks paths on the disks that all servers on the database share
 */
export function createStorageUse({
  limit,
  maxBytes,
  disks,
}: {
  limit: Pick<StorageLimit, 'storedBytes'>;
  maxBytes: number | null;
  disks: readonly string[];
}): () => Promise<StorageUse | null> {
  return async () => {
    const uses: StorageUse[] = [];
    if (maxBytes !== null)
      uses.push({ of: 'LIMIT', usedBytes: await limit.storedBytes(), limitBytes: maxBytes });
    for (const space of await Promise.all(disks.map(diskSpace))) {
      if (space === null) continue;
      const { usedBytes, freeBytes } = space;
      uses.push({ of: 'DISK', usedBytes, limitBytes: usedBytes + freeBytes });
    }
    return uses.reduce<StorageUse | null>(
      (fullest, use) => (fullest === null || shareOf(use) > shareOf(fullest) ? use : fullest),
      null,
    );
  };
}

/** 0 to 1; beyond it for a moment, until the limit is enforced. */
export function shareOf({ usedBytes, limitBytes }: StorageUse): number {
  return limitBytes === 0 ? 0 : usedBytes / limitBytes;
}
