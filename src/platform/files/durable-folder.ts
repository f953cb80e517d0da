import { closeSync, fsync, openSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { hasCode } from './system-errors.js';

/** Makes a folder and its parents, durably. */
export async function makeFolder(folder: string): Promise<void> {
  for (const made of await makeAll(resolve(folder))) await syncFolder(dirname(made));
}

/**
 * Not Node's `recursive`: if the system reports ENOENT for a folder whose parent exists, as /proc does, Node retries
 * forever.
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
    // Another process may have made it in the meantime.
    await mkdir(folder).catch((failure: unknown) => {
      if (!hasCode(failure, 'EEXIST')) throw failure;
    });
    return [folder, ...above];
  }
}

/**
 * Makes the names in a folder durable: a new file survives a power cut only if the folder with its name was synced
 * afterwards, and so for the name of that folder.
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
    // Some network file systems cannot sync folders (POSIX allows EINVAL): their servers order names.
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
