import { constants } from 'node:fs';
import {
  copyFile,
  type FileHandle,
  mkdir,
  open,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  utimes,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Logger } from '../logger.js';
import type { BlobStore, IncomingBlob } from './blob-store.js';
import { linkExclusively, readStart } from './files.js';
import { createFolderSync, makeFolder } from './folder-sync.js';
import { assertKey } from './keys.js';
import { createSpool, type SpooledFile } from './spool.js';
import { asStorageError, hasCode, storageCall } from './storage-errors.js';
import { walkFiles } from './walk-files.js';

/**
 * Blobs as plain files: the key is the path below `root`. Beside them `root` has `.incoming/` (bytes that have no key
 * yet) and `.orphans/` (blobs set aside).
 *
 * `.incoming/` also marks the storage as the one that this program has written to: when it is gone after the first
 * use, somebody took the disk away, and "no such file" proves nothing. Then every method rejects with UNAVAILABLE.
 */
export function createFileBlobs({
  root: givenRoot,
  log,
  now = () => new Date(),
}: {
  root: string;
  log?: Logger;
  now?: () => Date;
}): BlobStore {
  const root = resolve(givenRoot);
  const orphans = join(root, '.orphans');
  const folders = createFolderSync(root);
  const spool = createSpool({ root, isDurable: true, ...(log === undefined ? {} : { log }) });

  return {
    receive: async (source) => incomingBlob(await spool.receive(source)),

    async open(key) {
      const file = await openBlob(key);
      if (file === null) return null;
      return { size: file.size, stream: file.handle.createReadStream() };
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
      // A copy on write where the file system can, so that a big ELF costs nothing.
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
      // Its age as an orphan counts from now. First, so that a crash in between cannot leave it with an old date.
      await storageCall(utimes(from, now(), now()));
      await storageCall(makeFolder(dirname(to)));
      await storageCall(rename(from, to));
      await removeIfEmpty(dirname(from));
    },

    async purgeOrphans(before) {
      let purged = 0;
      for await (const { path, modifiedAt } of walkFiles(orphans)) {
        if (modifiedAt >= before) continue;
        await storageCall(rm(join(orphans, path), { force: true }));
        await removeIfEmpty(dirname(join(orphans, path)));
        purged += 1;
      }
      return purged;
    },

    removeUnfinished: spool.removeUnfinished,

    check: spool.check,
  };

  function pathOf(key: string): string {
    assertKey(key);
    return join(root, key);
  }

  function incomingBlob({ path: localPath, size, sha256 }: SpooledFile): IncomingBlob {
    let isSettled = false;
    return {
      size,
      sha256,
      localPath,
      async publish(key) {
        if (isSettled) throw new Error(`published or discarded before: ${key}`);
        const path = pathOf(key);
        if (!(await storageCall(giveName(localPath, path)))) return false;
        isSettled = true;
        try {
          // The temporary name may go at once: the bytes have their own.
          await Promise.all([storageCall(folders.syncDownTo(dirname(path))), spool.removeQuietly(localPath)]);
        } catch (error) {
          // Not durable is not published: nobody may find it.
          await spool.removeQuietly(path);
          throw error;
        }
        return true;
      },
      async discard() {
        if (isSettled) return;
        isSettled = true;
        await spool.removeQuietly(localPath);
      },
    };
  }

  /** @returns false when the name is taken */
  async function giveName(from: string, to: string): Promise<boolean> {
    for (;;) {
      try {
        await linkExclusively(from, to);
        return true;
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return false;
        if (!hasCode(error, 'ENOENT')) throw error;
        // A folder is missing: it is new, or the deletion of its last blob has just taken it away. Unless it is the
        // temporary file that is missing, which making folders would not mend.
        await stat(from);
      }
      await mkdir(dirname(to), { recursive: true });
    }
  }

  /** @returns null when there is no such blob, for certain. The caller closes the handle. */
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

  /** @returns null when the system says that there is no such file, and the storage is there to say so */
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

  /** Best effort: the folder of a device goes with its last blob. */
  async function removeIfEmpty(folder: string): Promise<void> {
    if (folder === root || folder === orphans) return;
    folders.forget(folder);
    const isRemoved = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (isRemoved) await removeIfEmpty(dirname(folder));
  }
}
