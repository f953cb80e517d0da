import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../../errors.js';
import { makeFolder } from '../../files/durable-folder.js';
import { hasCode, isSystemError } from '../../files/system-errors.js';
import type { Logger } from '../../logger.js';
import { asStorageError, storageCall } from '../storage-errors.js';
import { writeWhole } from './read-write.js';

/** Up to this size bytes wait for their key in memory, and what is more goes to the disk in pieces of it. */
const PIECE_BYTES = 128 * 1024;
/** A piece that came in more chunks is joined: chunks of a few bytes would take many times the memory of their bytes. */
const PIECE_CHUNKS = 64;

/** Of a small dump: a disk with space for a name alone can store nothing. */
const CHECK_BYTES = PIECE_BYTES;
const CHECK_PIECE = Buffer.alloc(PIECE_BYTES, 'Can this folder be written?\n');

/** Bytes that have come in and have no key yet. */
export interface Spooled {
  readonly size: number;
  /** hexadecimal */
  readonly sha256: string;
  /** Of the file that has them, or is to have them. */
  readonly path: string;
  /** Nobody else's, so that another thread may take them; null where they are in the file. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
}

export type Spool = ReturnType<typeof createSpool>;

/** The folder `.incoming/` below `root`, where bytes wait for their key. */
export function createSpool({ root, setting, log }: { root: string; setting?: string; log?: Logger }) {
  const folder = join(root, '.incoming');
  let isPrepared = false;

  return {
    folder,

    /**
     * Makes the folder, once: when it is gone after the first use somebody took the disk away, and to make another one
     * would hide that.
     */
    prepare,

    /**
     * Takes bytes in, at the pace of the disk. They are not synced.
     * @throws what `source` throws, unchanged, and nothing remains; DomainError STORAGE_FULL or UNAVAILABLE
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

    /** Writes them to their file, if they are not there. @throws DomainError STORAGE_FULL or UNAVAILABLE */
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

    /**
     * Proves that the folder can be written now.
     * @param bytes so many of them
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

  function explained(error: unknown): unknown {
    const known = asStorageError(error);
    if (!(known instanceof DomainError) || !isSystemError(error)) return known;
    const isFull = known.code === 'STORAGE_FULL';
    const named = setting === undefined ? 'The folder' : `${setting}: the folder`;
    const message = `${named} ${root} ${isFull ? 'has no space left' : 'cannot be written'}: ${error.message}`;
    return new DomainError(known.code, message, { cause: error });
  }
}

/** Chunks that go to the disk together. */
function createPiece() {
  let chunks: Uint8Array[] = [];
  let size = 0;
  return {
    /** @returns how many bytes it has now */
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
