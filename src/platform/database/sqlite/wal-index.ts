import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const PAGE_BYTES = 4096;
/** The index of a write-ahead log of some hundred megabytes: more than it ever grows to. */
const INDEX_BYTES = 512 * 1024;

/**
 * Allocates all blocks of the shared index of the write-ahead log (`-shm`). SQLite maps it into memory, and with small
 * file system blocks the file has holes: accessing a hole on a full disk ends the process (SIGBUS).
 *
 * Call this after the first connection has opened the index and before anything is written.
 *
 * @returns closes the file. Closing it before the last connection would release SQLite's locks (fcntl(2))
 */
export function fillIndexHoles(file: string): () => void {
  let fd: number;
  try {
    fd = openSync(`${file}-shm`, 'r+');
  } catch {
    // The file is missing: an empty database, or a file system without shared memory.
    return () => {};
  }
  try {
    const page = Buffer.alloc(PAGE_BYTES);
    const { size } = fstatSync(fd);
    // The first page has no holes, and readers in other processes write their marks there.
    for (let at = PAGE_BYTES; at < Math.max(size, INDEX_BYTES); at += PAGE_BYTES) {
      page.fill(0);
      readSync(fd, page, 0, PAGE_BYTES, at);
      writeSync(fd, page, 0, PAGE_BYTES, at);
    }
  } catch {
    // No space for the rest: SQLite works without it.
  }
  return () => closeSync(fd);
}
