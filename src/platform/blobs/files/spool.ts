import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../../errors.js';
import { makeFolder } from '../../files/durable-folder.js';
import { hasCode, isSystemError } from '../../files/system-errors.js';
import type { Logger } from '../../logger.js';
import { asStorageError, storageCall } from '../storage-errors.js';
import { writeWhole } from './read-write.js';

/** Up to this size, bytes are buffered in memory; beyond it they are written to the disk in pieces of this size. */
const PIECE_BYTES = 128 * 1024;
/** Beyond this number of chunks a piece is joined: chunks of a few bytes need many times the memory of their bytes. */
const PIECE_CHUNKS = 64;

/** The size of a small dump: a disk that has space for a name only can store nothing. */
const CHECK_BYTES = PIECE_BYTES;
const CHECK_PIECE = Buffer.alloc(PIECE_BYTES, 'Can this folder be written?\n');

/** Received bytes that have no key yet. */
export interface Spooled {
  readonly size: number;
  /** hexadecimal */
  readonly sha256: string;
  /** File that has the bytes, or will have them. */
  readonly path: string;
  /**
   * The bytes if they are still in memory, else null. No one else uses the buffer, so it may be transferred to a
   * thread.
   */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
}

export type Spool = ReturnType<typeof createSpool>;

/** The folder `.incoming/` below `root`, for bytes without a key. */
export function createSpool({ root, setting, log }: { root: string; setting?: string; log?: Logger }) {
  const folder = join(root, '.incoming');
  let isPrepared = false;

  return {
    folder,

    /**
     * Makes the folder once. If it disappears after the first use, the disk was probably unmounted, and a new folder
     * would hide that.
     */
    prepare,

    /**
     * Receives bytes at the pace of the disk. They are not synced.
     * @throws what `source` throws, unchanged, and nothing is kept; DomainError STORAGE_FULL or UNAVAILABLE
     */
    async receive(source: AsyncIterable<Uint8Array>): Promise<Spooled> {
      await storageCall(prepare());
      const path = join(folder, randomUUID());
      const hash = createHash('sha256');
      const piece = createPiece();
      let size = 0;
      let handle: FileHandle | null = null;
      try {
        for await (const chunk of source) {
          hash.update(chunk);
          size += chunk.byteLength;
          if (piece.add(chunk) < PIECE_BYTES) continue;
          handle ??= await storageCall(open(path, 'wx'));
          await storageCall(writeWhole(handle, piece.take()));
        }
        const content = { size, sha256: hash.digest('hex'), path };
        if (handle === null) return { ...content, bytes: joined(piece.take()) };
        await storageCall(writeWhole(handle, piece.take()));
        await storageCall(handle.close());
        return { ...content, bytes: null };
      } catch (error) {
        await handle?.close().catch(() => {});
        if (handle !== null) await removeQuietly(path);
        throw error;
      }
    },

    /** Writes buffered bytes to their file. @throws DomainError STORAGE_FULL or UNAVAILABLE */
    async toFile(spooled: Spooled): Promise<Spooled> {
      if (spooled.bytes === null) return spooled;
      try {
        await storageCall(writeFile(spooled.path, spooled.bytes, { flag: 'wx' }));
      } catch (error) {
        await removeQuietly(spooled.path);
        throw error;
      }
      return { ...spooled, bytes: null };
    },

    /** A file that stays is removed at the next start. */
    removeQuietly,

    /** @param before only files whose last bytes are older. @returns the number of removed files */
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

    /**
     * Proves that the folder can be written now.
     * @param bytes how many bytes to write
     * @throws DomainError that names `root`, the setting and the reason
     */
    async check(bytes = CHECK_BYTES): Promise<void> {
      const path = join(folder, `check-${randomUUID()}`);
      try {
        await prepare();
        const handle = await open(path, 'wx');
        try {
          for (let left = bytes; left > 0; left -= PIECE_BYTES) {
            await writeWhole(handle, [CHECK_PIECE.subarray(0, left)]);
          }
          await handle.sync();
        } finally {
          await handle.close();
        }
        await unlink(path);
      } catch (error) {
        await removeQuietly(path);
        throw explained(error);
      }
    },
  };

  async function prepare(): Promise<void> {
    if (isPrepared) return;
    await makeFolder(folder);
    isPrepared = true;
  }

  /** Also false when the file was removed in the meantime. */
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

  function explained(error: unknown): unknown {
    const known = asStorageError(error);
    if (!(known instanceof DomainError) || !isSystemError(error)) return known;
    const isFull = known.code === 'STORAGE_FULL';
    const named = setting === undefined ? 'The folder' : `${setting}: the folder`;
    const message = `${named} ${root} ${isFull ? 'has no space left' : 'cannot be written'}: ${error.message}`;
    return new DomainError(known.code, message, { cause: error });
  }
}

/** Collects chunks that are written to the disk together. */
function createPiece() {
  let chunks: Uint8Array[] = [];
  let size = 0;
  return {
    /** @returns the number of bytes that it now has */
    add(chunk: Uint8Array): number {
      if (chunks.length === PIECE_CHUNKS) chunks = [joined(chunks)];
      chunks.push(chunk);
      size += chunk.byteLength;
      return size;
    },
    take(): Uint8Array[] {
      const taken = chunks;
      chunks = [];
      size = 0;
      return taken;
    },
  };
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
