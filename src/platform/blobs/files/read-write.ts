import type { FileHandle } from 'node:fs/promises';

/**
 * One write may write less than all bytes, for instance when the disk fills up: the next one then returns the reason.
 */
export async function writeWhole(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let { bytesWritten } = await handle.writev(chunks);
  for (const chunk of chunks) {
    while (bytesWritten < chunk.byteLength) {
      bytesWritten += (await handle.write(chunk, bytesWritten)).bytesWritten;
    }
    bytesWritten -= chunk.byteLength;
  }
}

/** The first `length` bytes, fewer when the file is shorter. */
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
