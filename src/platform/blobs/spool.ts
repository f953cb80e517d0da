import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../errors.js';
import type { Logger } from '../logger.js';
import { writeAll } from './files.js';
import { makeFolder } from './folder-sync.js';
import { asStorageError, hasCode, isSystemError, storageCall } from './storage-errors.js';

/** Bytes that have come in and have no key yet: a plain file. */
export interface SpooledFile {
  readonly path: string;
  readonly size: number;
  /** hexadecimal */
  readonly sha256: string;
}

export type Spool = ReturnType<typeof createSpool>;

/**
 * The folder `.incoming/` below `root`, where bytes wait for their key.
 *
 * @param isDurable whether what is taken in is synced: where its file gets the key, rather than a copy of it elsewhere
 */
export function createSpool({ root, isDurable, log }: { root: string; isDurable: boolean; log?: Logger }) {
  const folder = join(root, '.incoming');
  let isPrepared = false;

  return {
    folder,

    /**
     * Makes the folder, once: when it is gone after the first use somebody took the disk away, and to make another one
     * would hide that.
     */
    prepare,

    /** @throws what `source` throws, unchanged, and nothing remains; DomainError STORAGE_FULL or UNAVAILABLE */
    async receive(source: AsyncIterable<Uint8Array>): Promise<SpooledFile> {
      const { path, handle } = await storageCall(create());
      try {
        const content = await writeAll(source, handle);
        if (isDurable) await storageCall(handle.sync());
        await storageCall(handle.close());
        return { path, ...content };
      } catch (error) {
        await handle.close().catch(() => {});
        await removeQuietly(path);
        throw error;
      }
    },

    /** What stays behind is removed at the next start. */
    removeQuietly,

    /** @param before only what got its last bytes before that. Answers how many. */
    async removeUnfinished(before?: Date): Promise<number> {
      await storageCall(prepare());
      let removed = 0;
      for (const name of await storageCall(readdir(folder))) {
        const path = join(folder, name);
        if (before !== undefined && !(await isOlder(path, before))) continue;
        await storageCall(rm(path, { recursive: true, force: true }));
        removed += 1;
      }
      return removed;
    },

    /** Proves that the folder can be written now. @throws DomainError that names `root` and the reason */
    async check(): Promise<void> {
      const path = join(folder, `check-${randomUUID()}`);
      try {
        await prepare();
        const handle = await open(path, 'wx');
        try {
          await handle.writeFile('Can this folder be written?\n');
          await handle.sync();
        } finally {
          await handle.close();
        }
        await unlink(path);
      } catch (error) {
        await removeQuietly(path);
        throw named(error);
      }
    },
  };

  async function prepare(): Promise<void> {
    if (isPrepared) return;
    await makeFolder(folder);
    isPrepared = true;
  }

  async function create(): Promise<{ path: string; handle: FileHandle }> {
    await prepare();
    const path = join(folder, randomUUID());
    return { path, handle: await open(path, 'wx') };
  }

  /** False also for what somebody else has just taken away. */
  async function isOlder(path: string, date: Date): Promise<boolean> {
    try {
      return (await stat(path)).mtime < date;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw asStorageError(error);
    }
  }

  async function removeQuietly(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR'))
        log?.warn({ err: error }, 'could not remove a temporary file');
    }
  }

  function named(error: unknown): unknown {
    const known = asStorageError(error);
    if (!(known instanceof DomainError) || !isSystemError(error)) return known;
    const isFull = known.code === 'STORAGE_FULL';
    const message = `The folder ${root} ${isFull ? 'has no room left' : 'cannot be written'}: ${error.message}`;
    return new DomainError(known.code, message, { cause: error });
  }
}
