import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../files/system-errors.js';
import { isKeySegment } from '../keys.js';
import { asStorageError } from '../storage-errors.js';

export interface WalkedFile {
  /** `/`-separated, below the folder that was walked */
  path: string;
  size: number;
  modifiedAt: Date;
}

/** Files are inspected in groups: one after the other, a million of them would take a minute. */
const GROUP = 64;

/**
 * Yields every plain file below `root` whose path is a blob's key, without reading a whole folder into memory. Files
 * that disappear in the meantime are skipped, and a missing `root` is empty.
 *
 * @throws DomainError UNAVAILABLE
 */
export async function* walkFiles(root: string, below = ''): AsyncGenerator<WalkedFile> {
  const folders: string[] = [];
  let files: string[] = [];
  for await (const entry of entriesOf(join(root, below))) {
    if (!isKeySegment(entry.name) || isFileSystemsOwn(below, entry)) continue;
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) folders.push(path);
    else if (entry.isFile()) files.push(path);
    if (files.length === GROUP) {
      yield* await lookAt(root, files);
      files = [];
    }
  }
  yield* await lookAt(root, files);
  for (const folder of folders) yield* walkFiles(root, folder);
}

/** `lost+found` is at the top of an ext file system, and readable by root only. */
function isFileSystemsOwn(below: string, entry: Dirent): boolean {
  return below === '' && entry.name === 'lost+found';
}

async function* entriesOf(folder: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(folder, { bufferSize: GROUP });
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw asStorageError(error);
  }
}

async function lookAt(root: string, paths: readonly string[]): Promise<WalkedFile[]> {
  const found = await Promise.all(paths.map((path) => lookAtOne(root, path)));
  return found.filter((file) => file !== null);
}

async function lookAtOne(root: string, path: string): Promise<WalkedFile | null> {
  try {
    const { size, mtime } = await lstat(join(root, path));
    return { path, size, modifiedAt: mtime };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw asStorageError(error);
  }
}
