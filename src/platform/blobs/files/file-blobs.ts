import { constants } from 'node:fs';
import {
  access,
  copyFile,
  type FileHandle,
  open,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  utimes,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolder, syncFolder } from '../../files/durable-folder.js';
import { hasCode } from '../../files/system-errors.js';
import type { Logger } from '../../logger.js';
import { createBatcher } from '../../queue/batcher.js';
import type { BlobStore, IncomingBlob } from '../blob-store.js';
import { assertKey } from '../keys.js';
import { asStorageError, storageCall } from '../storage-errors.js';
import { watchFreeSpace } from '../watch-free-space.js';
import { createNoteFile } from './note-file.js';
import { giveName, type Publication, type PublishOutcome } from './publish-batch.js';
import { createPublishThread } from './publish-thread.js';
import { readStart } from './read-write.js';
import { createSpool, type Spooled } from './spool.js';
import { walkFiles } from './walk-files.js';

/** Most files in one publication batch. */
const MAX_BATCH = 64;
/** Publication batches at the same time: while some wait for the disk, the next ones are written. */
const BATCHES_AT_ONCE = 4;

/**
 * Blobs as plain files: the key is the path below `root`. `root` also has `.incoming/` (bytes without a key),
 * `.orphans/` (blobs that are set aside) and `.installation.json` (the note).
 *
 * `.incoming/` also marks the folder as used by this program. If it disappears after the first use, the disk was
 * probably unmounted, and "no such file" proves nothing. Then every method rejects with UNAVAILABLE.
 */
export function createFileBlobs({
  root: givenRoot,
  setting,
  log,
  now = () => new Date(),
}: {
  root: string;
  /** The setting that names `root`. */
  setting?: string;
  log?: Logger;
  now?: () => Date;
}): BlobStore {
  const root = resolve(givenRoot);
  const orphans = join(root, '.orphans');
  const spool = createSpool({
    root,
    ...(setting === undefined ? {} : { setting }),
    ...(log === undefined ? {} : { log }),
  });
  const publish = createBatcher<Publication, PublishOutcome>({
    run: createPublishThread(),
    maxItems: MAX_BATCH,
    atOnce: BATCHES_AT_ONCE,
  });

  const store: BlobStore = {
    receive: async (source) => incomingBlob(await spool.receive(source)),

    async open(key) {
      const file = await openBlob(key);
      if (file === null) return null;
      return { size: file.size, stream: file.handle.createReadStream() };
    },

    async sizeOf(key) {
      const stats = await unlessMissing(stat(pathOf(key)));
      return stats?.isFile() === true ? stats.size : null;
    },

    async readAtMost(key, limit) {
      const file = await openBlob(key);
      if (file === null) return null;
      try {
        return await storageCall(readStart(file.handle, Math.min(file.size, limit)));
      } finally {
        await file.handle.close();
      }
    },

    async copyTo(key, path) {
      const file = await openBlob(key);
      if (file === null) return null;
      await file.handle.close();
      // Copy-on-write if the file system supports it, so that a large ELF costs nothing.
      await storageCall(copyFile(pathOf(key), path, constants.COPYFILE_FICLONE));
      return file.size;
    },

    async delete(key) {
      const path = pathOf(key);
      if ((await unlessMissing(unlink(path).then(() => path))) === null) return;
      await removeIfEmpty(dirname(path));
    },

    async *list() {
      await storageCall(spool.prepare());
      for await (const { path, size, modifiedAt } of walkFiles(root)) yield { key: path, size, modifiedAt };
    },

    async orphan(key) {
      const from = pathOf(key);
      const to = join(orphans, key);
      // Its age as an orphan starts now. Set before the move, so that a crash in between cannot leave an old date.
      const isThere = await unlessMissing(utimes(from, now(), now()).then(() => true));
      if (isThere === null) return;
      await storageCall(makeFolder(dirname(to)));
      await unlessMissing(rename(from, to));
      await removeIfEmpty(dirname(from));
    },

    async *orphans() {
      for await (const { path, modifiedAt } of walkFiles(orphans))
        yield { key: path, setAsideAt: modifiedAt };
    },

    async bringBack(key) {
      const to = pathOf(key);
      const from = join(orphans, key);
      // A link, so that the file has one of its two names whatever happens in between.
      const isNamed = await unlessMissing((async () => giveName(from, to))());
      if (isNamed === null) return 'missing';
      if (!isNamed) return 'taken';
      for (let each = to; each !== root; each = dirname(each)) await storageCall(syncFolder(dirname(each)));
      await storageCall(rm(from, { force: true }));
      await removeIfEmpty(dirname(from));
      return 'back';
    },

    async removeOrphan(key) {
      assertKey(key);
      await storageCall(rm(join(orphans, key), { force: true }));
      await removeIfEmpty(dirname(join(orphans, key)));
    },

    note: createNoteFile({ root, spool }),

    async peek(keys) {
      const found = await Promise.all(keys.map(async (key) => isFile(pathOf(key), join(orphans, key))));
      return { isEmpty: await hasNoFile(root, orphans), present: found.filter(Boolean).length };
    },

    removeUnfinished: spool.removeUnfinished,

    check: () => spool.check(),
  };
  const place = `the folder ${givenRoot}${setting === undefined ? '' : ` (${setting})`}`;
  return watchFreeSpace(store, { place, trySpace: spool.check, log });

  function pathOf(key: string): string {
    assertKey(key);
    return join(root, key);
  }

  function incomingBlob(received: Spooled): IncomingBlob {
    let spooled = received;
    let isSettled = false;
    return {
      size: spooled.size,
      sha256: spooled.sha256,
      async file() {
        spooled = await spool.toFile(spooled);
        return spooled.path;
      },
      async publish(key) {
        if (isSettled) throw new Error(`already published or discarded: ${key}`);
        const { bytes, path: temporary } = spooled;
        const outcome = await publish({ root, path: pathOf(key), temporary, bytes });
        isSettled = outcome.status !== 'taken';
        spooled = { ...spooled, bytes: null };
        if (outcome.status === 'failed')
          throw asStorageError(Object.assign(new Error(outcome.message), outcome.cause));
        return outcome.status === 'published';
      },
      async discard() {
        if (isSettled) return;
        isSettled = true;
        if (spooled.bytes === null) await spool.removeQuietly(spooled.path);
      },
    };
  }

  /** @returns null when the blob certainly does not exist. The caller closes the handle. */
  async function openBlob(key: string): Promise<{ handle: FileHandle; size: number } | null> {
    const handle = await unlessMissing(open(pathOf(key), 'r'));
    if (handle === null) return null;
    try {
      const stats = await storageCall(handle.stat());
      if (stats.isFile()) return { handle, size: stats.size };
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return null;
  }

  /** @returns null when the system reports a missing file and the storage is still mounted */
  async function unlessMissing<T>(call: Promise<T>): Promise<T | null> {
    try {
      return await call;
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw asStorageError(error);
    }
    await storageCall(spool.prepare());
    await storageCall(stat(spool.folder));
    return null;
  }

  /** Best effort: the folder of a device is removed with its last blob. */
  async function removeIfEmpty(folder: string): Promise<void> {
    if (folder === root || folder === orphans) return;
    const isRemoved = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (isRemoved) await removeIfEmpty(dirname(folder));
  }
}

async function isFile(...paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    try {
      await access(path);
      return true;
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw asStorageError(error);
    }
  }
  return false;
}

async function hasNoFile(...roots: readonly string[]): Promise<boolean> {
  for (const root of roots) for await (const _ of walkFiles(root)) return false;
  return true;
}
