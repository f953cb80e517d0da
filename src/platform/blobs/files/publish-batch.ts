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

/** A file that is to get its name. Plain data, for it crosses threads. */
export interface Publication {
  readonly root: string;
  /** Below `root`. */
  readonly path: string;
  /** Of the file that has the bytes until they have their name. */
  readonly temporary: string;
  /** Null where they are in that file already. */
  readonly bytes: Uint8Array | null;
}

export type PublishOutcome =
  /** Bytes and name are durable, and the temporary file is gone. */
  | { status: 'published' }
  /** Somebody has the name; the bytes are in the temporary file. */
  | { status: 'taken' }
  /** Nothing remains. Errors lose what the system says when they cross threads, so it comes beside. */
  | { status: 'failed'; message: string; cause: { code?: string | undefined; syscall?: string | undefined } };

/**
 * Gives files their names, durably: all are written and named first, then all of them and their folders are synced at
 * once, each folder once however many names it got. A power cut in between may leave a name without all of its bytes,
 * of which nobody knows yet.
 *
 * All but the syncs, which wait for the disk, are synchronous calls: those cost a fraction of the processor time. So
 * this belongs on a thread of its own.
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
      // Not durable is not published: nobody may find it.
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

/** One write may take less than all, for instance when the disk fills up: the next one says why. */
function writeWhole(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.byteLength) written += writeSync(fd, bytes, written);
}

/** A folder can be taken away again each time that it was made, but by nobody's deletions so often in a row. */
const MAX_NAMINGS = 100;

/** @returns false when the name is taken. @throws the system's error, ENOENT when `from` is missing */
export function giveName(from: string, to: string): boolean {
  for (let attempt = 1; ; attempt += 1) {
    try {
      linkExclusively(from, to);
      return true;
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false;
      if (!hasCode(error, 'ENOENT') || attempt === MAX_NAMINGS) throw error;
      // A folder is missing: it is new, or the deletion of its last blob has just taken it away. Unless it is the
      // temporary file that is missing, which making folders would not mend.
      statSync(from);
    }
    mkdirSync(dirname(to), { recursive: true });
  }
}

/**
 * Gives a file a second name if nobody has that name; never overwrites. The first name may or may not remain.
 * @throws the system's error: EEXIST when the name is taken, ENOENT when a file or folder on the way is missing
 */
function linkExclusively(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // FAT, some network and FUSE file systems have no links (link(2): EPERM). Claim the name, then move over the claim;
    // what a crash in between leaves is an empty file without a row, which the sweep at start finds.
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

/** Every folder whose own name the file needs to be found again, up to `root`. */
function foldersOf({ root, path }: Publication): string[] {
  const folders = [dirname(path)];
  for (let each = dirname(path); each !== root; each = dirname(each)) folders.push(dirname(each));
  return folders;
}

/** What stays behind is removed at the next start, or swept. */
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
