import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { sync, syncFolder } from '../../files/durable-folder.js';
import { hasCode } from '../../files/system-errors.js';

/** A file that is to get its final name. Plain data, because it is sent to a thread. */
export interface Publication {
  readonly root: string;
  /** Path below `root`. */
  readonly path: string;
  /** Temporary file that has the bytes before publication. */
  readonly temporary: string;
  /** Null when the bytes are already in that file. */
  readonly bytes: Uint8Array | null;
}

export type PublishOutcome =
  /** Bytes and name are durable, and the temporary file is removed. */
  | { status: 'published' }
  /** The name exists already; the bytes stay in the temporary file. */
  | { status: 'taken' }
  /** Nothing is kept. Errors lose their system error code between threads, so it is a separate field. */
  | { status: 'failed'; message: string; cause: { code?: string | undefined; syscall?: string | undefined } };

/**
 * Publishes files durably: all are written and named first, then the files and their folders are synced together, each
 * folder once. A power cut in between may leave a name without all of its bytes; no client was told about it yet.
 *
 * Everything except the syncs, which wait for the disk, is a synchronous call, because those need a fraction of the CPU
 * time. So this belongs into a separate thread.
 */
export async function publishBatch(batch: readonly Publication[]): Promise<PublishOutcome[]> {
  const files = batch.map(writeAndName);
  const syncs = new Map<string, Promise<void>>();
  return Promise.all(files.map((file) => (file.status === 'named' ? makeDurable(file) : file)));

  async function makeDurable({ publication, fd }: NamedFile): Promise<PublishOutcome> {
    try {
      await Promise.all([syncAndClose(fd), ...foldersOf(publication).map(syncOnce)]);
      return { status: 'published' };
    } catch (error) {
      // Bytes that are not durable are not published: remove the name.
      removeQuietly(publication.path);
      return failed(error);
    }
  }

  function syncOnce(folder: string): Promise<void> {
    const running = syncs.get(folder) ?? syncFolder(folder);
    syncs.set(folder, running);
    return running;
  }
}

interface NamedFile {
  status: 'named';
  publication: Publication;
  fd: number;
}

function writeAndName(publication: Publication): NamedFile | PublishOutcome {
  const { temporary, bytes, path } = publication;
  let fd: number | undefined;
  try {
    fd = openSync(temporary, bytes === null ? 'r+' : 'wx');
    if (bytes !== null) writeWhole(fd, bytes);
    if (!giveName(temporary, path)) {
      closeQuietly(fd);
      return { status: 'taken' };
    }
    removeQuietly(temporary);
    return { status: 'named', publication, fd };
  } catch (error) {
    if (fd !== undefined) closeQuietly(fd);
    removeQuietly(temporary);
    return failed(error);
  }
}

/**
 * One write may write less than all bytes, for instance when the disk fills up: the next one then returns the reason.
 */
function writeWhole(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.byteLength) written += writeSync(fd, bytes, written);
}

/** A deletion may remove the folder right after it was made, but not so many times in a row. */
const MAX_NAMINGS = 100;

/** @returns false when the name exists. @throws the system's error, ENOENT when `from` is missing */
export function giveName(from: string, to: string): boolean {
  for (let attempt = 1; ; attempt += 1) {
    try {
      linkExclusively(from, to);
      return true;
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false;
      if (!hasCode(error, 'ENOENT') || attempt === MAX_NAMINGS) throw error;
      // A folder is missing: it is new, or the deletion of its last blob has just removed it. If the temporary file is
      // missing instead, new folders do not help.
      statSync(from);
    }
    mkdirSync(dirname(to), { recursive: true });
  }
}

/**
 * Gives a file a second name if that does not exist; never overwrites. The first name may remain.
 * @throws the system's error: EEXIST when the name exists, ENOENT when a file or folder is missing
 */
function linkExclusively(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // FAT and some network and FUSE file systems have no links (link(2): EPERM). Create the name exclusively, then
    // rename over it. A crash in between leaves an empty file without a row, which the sweep at the next start finds.
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
    closeSync(openSync(to, 'wx'));
    try {
      renameSync(from, to);
    } catch (failure) {
      removeQuietly(to);
      throw failure;
    }
  }
}

async function syncAndClose(fd: number): Promise<void> {
  try {
    await sync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Every folder up to `root` whose entry is needed to find the file again. */
function foldersOf({ root, path }: Publication): string[] {
  const folders = [dirname(path)];
  for (let each = dirname(path); each !== root; each = dirname(each)) folders.push(dirname(each));
  return folders;
}

/** A file that stays is removed at the next start, or by the sweep. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {}
}

function failed(error: unknown): PublishOutcome {
  if (!(error instanceof Error)) throw error;
  const { message, code, syscall } = error as NodeJS.ErrnoException;
  return { status: 'failed', message, cause: { code, syscall } };
}
