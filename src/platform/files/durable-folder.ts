import { closeSync, fsync, openSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { hasCode } from './system-errors.js';

/** Makes a folder with all that is above it, durably. */
export async function makeFolder(folder: string): Promise<void> {
  for (const made of await makeAll(resolve(folder))) await syncFolder(dirname(made));
}

/**
 * Not Node's own `recursive`: where the system says ENOENT for a folder whose parent is there, as /proc does, that
 * tries again for ever.
 *
 * @returns the folders that were missing, the lowest first
 */
async function makeAll(folder: string): Promise<string[]> {
  try {
    await mkdir(folder);
    return [folder];
  } catch (error) {
    if (hasCode(error, 'EEXIST', 'EISDIR') && (await stat(folder)).isDirectory()) return [];
    const parent = dirname(folder);
    if (!hasCode(error, 'ENOENT') || parent === folder) throw error;
    const above = await makeAll(parent);
    // It may have been made by somebody else meanwhile.
    await mkdir(folder).catch((failure: unknown) => {
      if (!hasCode(failure, 'EEXIST')) throw failure;
    });
    return [folder, ...above];
  }
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
