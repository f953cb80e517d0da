import type { Logger } from '../logger.js';
import type { BlobStore } from './blob-store.js';

/**
 * A store that also finds blobs that were set aside: a blob is only read if a row refers to it, so its key is restored.
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
    // Also if another server has restored it first.
    return read();
  }
}
