import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const PAGE_BYTES = 4096;
/** Of the index of a write-ahead log of some hundred megabytes: more than it ever grows to. */
const INDEX_BYTES = 512 * 1024;

/**
 * Gives the shared index of the write-ahead log (`-shm`) all of its bytes on the disk. SQLite maps it into memory and
 * leaves holes in it where a file system has small blocks: touched on a full disk, a hole ends the process (SIGBUS).
 *
 * To be called once the first connection has opened the index and before anybody writes.
 *
 * @returns closes the file: closing it before the last connection would lift SQLite's locks (fcntl(2))
 */
export function fillIndexHoles(file: string): () => void {
  let fd: number;
  try {
    fd = openSync(`${file}-shm`, 'r+');
  } catch {
    // There is none: an empty database, or a file system without shared memory.
    return () => {};
  }
  try {
    const page = Buffer.alloc(PAGE_BYTES);
    const { size } = fstatSync(fd);
    // The first page is whole already, and readers in other processes write their marks there.
    for (let at = PAGE_BYTES; at < Math.max(size, INDEX_BYTES); at += PAGE_BYTES) {
      page.fill(0);
      readSync(fd, page, 0, PAGE_BYTES, at);
      writeSync(fd, page, 0, PAGE_BYTES, at);
    }
  } catch {
    // No space for the rest: SQLite works with what there is.
  }
  return () => closeSync(fd);
}
