import type { Logger } from '../logger.js';
import type { BlobStore } from './blob-store.js';

/**
 * A store whose blobs are found also when they were set aside: whoever reads a blob has a row that wants it, so it gets
 * its key back.
 */
export function restoringSetAside(store: BlobStore, log?: Logger): BlobStore {
  return {
    ...store,
    open: (key) => orSetAside(key, () => store.open(key)),
    readAtMost: (key, limit) => orSetAside(key, () => store.readAtMost(key, limit)),
    copyTo: (key, path) => orSetAside(key, () => store.copyTo(key, path)),
    sizeOf: (key) => orSetAside(key, () => store.sizeOf(key)),
  };

  async function orSetAside<Found>(key: string, read: () => Promise<Found | null>): Promise<Found | null> {
    const found = await read();
    if (found !== null) return found;
    if ((await store.bringBack(key)) === 'back') log?.warn({ key }, 'brought back a file that was set aside');
    // Also where another server was first to bring it back.
    return read();
  }
}
