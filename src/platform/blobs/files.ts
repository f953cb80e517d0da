import { createHash } from 'node:crypto';
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { hasCode, storageCall } from './storage-errors.js';

/** Chunks go to the disk together up to this size, and in this number: most dumps are one write. */
const WRITE_BYTES = 128 * 1024;
const WRITE_CHUNKS = 16;

/**
 * Writes what comes, at the pace of the disk. It is not synced yet.
 * @throws what `source` throws, unchanged; DomainError STORAGE_FULL or UNAVAILABLE
 */
export async function writeAll(
  source: AsyncIterable<Uint8Array>,
  handle: FileHandle,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  let unwritten: Uint8Array[] = [];
  let unwrittenBytes = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    size += chunk.byteLength;
    unwrittenBytes += chunk.byteLength;
    unwritten.push(chunk);
    if (unwrittenBytes < WRITE_BYTES && unwritten.length < WRITE_CHUNKS) continue;
    await storageCall(writeWhole(handle, unwritten));
    unwritten = [];
    unwrittenBytes = 0;
  }
  if (unwritten.length > 0) await storageCall(writeWhole(handle, unwritten));
  return { size, sha256: hash.digest('hex') };
}

/** One write may take less than all, for instance when the disk fills up: the next one says why. */
async function writeWhole(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let { bytesWritten } = await handle.writev(chunks);
  for (const chunk of chunks) {
    while (bytesWritten < chunk.byteLength) {
      bytesWritten += (await handle.write(chunk, bytesWritten)).bytesWritten;
    }
    bytesWritten -= chunk.byteLength;
  }
}

/** The first `length` bytes, fewer when the file ends before. */
export async function readStart(handle: FileHandle, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/**
 * Gives a file a second name if nobody has that name; never overwrites. The first name may or may not remain.
 * @throws the system's error: EEXIST when the name is taken, ENOENT when a file or folder on the way is missing
 */
export async function linkExclusively(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    // FAT, some network and FUSE file systems have no links (link(2): EPERM). Claim the name, then move over the claim;
    // what a crash in between leaves is an empty file without a row, which the sweep at start finds.
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
    await (await open(to, 'wx')).close();
    await rename(from, to).catch(async (failure: unknown) => {
      await unlink(to);
      throw failure;
    });
  }
}
