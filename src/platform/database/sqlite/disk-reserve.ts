import { AsyncLocalStorage } from 'node:async_hooks';
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '../../logger.js';
import { asDomainError } from '../errors.js';

/** Enough for some thousand deletions and downloads, with SQLite's overhead. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** Upper limit as a part of a small disk. */
const RESERVE_SHARE = 1 / 32;
/** For the index of the write-ahead log and its first pages: with less free space SQLite cannot even start. */
const NEEDED_BYTES = 256 * 1024;
const PIECE = Buffer.alloc(64 * 1024);

export type DiskReserve = ReturnType<typeof createDiskReserve>;

/**
 * Reserves free space on the disk of a SQLite database with a file. Deletions, which free space, and downloads write
 * too (rows and audit events), so they may use the reserve when the disk is full. Every other write is refused while it
 * is in use: an upload would take the space that a deletion needs. The reserve is filled again as soon as there is free
 * space.
 */
export function createDiskReserve({ file, log }: { file: string; log?: Logger | undefined }) {
  const path = `${file}.reserve`;
  const probe = `${file}.probe`;
  const size = reserveSize(dirname(file));
  const fromReserve = new AsyncLocalStorage<true>();
  let isReserved = hasBlocks(path, size) || fill(path, size);
  let isFull = !isReserved && !fill(probe, NEEDED_BYTES);
  rmSync(probe, { force: true });
  if (isFull) logFull();

  return {
    /** Whether the last write failed for lack of space. */
    isFull: () => isFull,

    /** @throws SQLite's error for a full disk, when only the reserve is left and the caller may not use it */
    assertMayWrite(): void {
      if (isFull && !isReserved && fromReserve.getStore() !== true) {
        throw new Error('database or disk is full: the remaining space is for deletions and downloads');
      }
    },

    /** Call this with every error of the database. */
    noteError(error: unknown): void {
      if (isFull || !isDiskFull(error)) return;
      isFull = true;
      logFull();
    },

    /** Runs work that may use the reserve. If the disk is full, it runs again after the reserve was released. */
    fromReserve<T>(work: () => Promise<T>): Promise<T> {
      return fromReserve.run(true, async () => {
        try {
          return await work();
        } catch (error) {
          if (!isFullError(error) || !release()) throw error;
          return await work();
        }
      });
    },

    release,

    /** Checks for free space. @returns whether there is some */
    restore(): boolean {
      if (!isFull) return true;
      if (!hasFree(dirname(file), isReserved ? NEEDED_BYTES : size + NEEDED_BYTES)) return false;
      isReserved ||= fill(path, size);
      const hasSpace = isReserved && fill(probe, NEEDED_BYTES);
      rmSync(probe, { force: true });
      if (!hasSpace) return false;
      isFull = false;
      log?.info(`the disk of the database ${file} has free space again`);
      return true;
    },
  };

  /** @returns false when the reserve was already in use */
  function release(): boolean {
    if (!isReserved) return false;
    isReserved = false;
    rmSync(path, { force: true });
    log?.warn(`only deletions and downloads may write now, with the space reserved in ${path}`);
    return true;
  }

  function logFull(): void {
    log?.error(`the disk of the database ${file} (DATABASE_URL) is full: free some space on it`);
  }
}

/** SQLITE_IOERR_SHMSIZE: the index of the log could not grow. Its text is only "disk I/O error". */
const INDEX_COULD_NOT_GROW = 4874;

function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('errcode' in error && error.errcode === INDEX_COULD_NOT_GROW) return true;
  return error.message.includes('database or disk is full');
}

function isFullError(error: unknown): boolean {
  const known = asDomainError(error);
  return known instanceof Error && 'code' in known && known.code === 'STORAGE_FULL';
}

function reserveSize(folder: string): number {
  const { blocks, bsize } = statfsSync(folder);
  const share = Math.floor((blocks * bsize * RESERVE_SHARE) / PIECE.length) * PIECE.length;
  return blocks === 0 ? RESERVE_BYTES : Math.min(RESERVE_BYTES, share);
}

/** Also true if the file system does not report it: then a write shows it. */
function hasFree(folder: string, bytes: number): boolean {
  const { blocks, bfree, bsize } = statfsSync(folder);
  return blocks === 0 || bfree * bsize >= bytes;
}

/** A sparse file has a size but no blocks. */
function hasBlocks(path: string, size: number): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.size === size && stats.blocks * 512 >= size;
}

/** Writes this many bytes to the disk. @returns false, with nothing kept, when there is no space for them */
function fill(path: string, size: number): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'w');
    for (let written = 0; written < size; ) {
      written += writeSync(fd, PIECE, 0, Math.min(PIECE.length, size - written));
    }
    fsyncSync(fd);
    return true;
  } catch {
    rmSync(path, { force: true });
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
