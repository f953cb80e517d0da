import { closeSync, fsync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './storage-errors.js';

/** Makes a folder with all that is above it, durably. */
export async function makeFolder(folder: string): Promise<void> {
  const topmost = await mkdir(folder, { recursive: true });
  if (topmost === undefined) return;
  for (let each = folder; each.length >= topmost.length; each = dirname(each))
    await syncFolder(dirname(each));
}

/**
 * Makes the names in a folder durable: a new file survives a power cut only when the folder that holds its name was
 * synced after it got there, and the folder's own name likewise.
 */
export async function syncFolder(folder: string): Promise<void> {
  let fd: number;
  try {
    fd = openSync(folder, 'r');
  } catch (error) {
    // Windows cannot open folders; NTFS journals names by itself.
    if (process.platform === 'win32' && hasCode(error, 'EISDIR', 'EPERM')) return;
    throw error;
  }
  try {
    await sync(fd);
  } catch (error) {
    // Some network file systems have no sync of folders (POSIX allows EINVAL): their servers order names.
    if (!hasCode(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP')) throw error;
  } finally {
    closeSync(fd);
  }
}

/** fsync(2), on one of libuv's threads. */
export function sync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}
