import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const IN_MEMORY = '/dev/shm';
/** Containers often have 64 MB there. */
const NEEDED_BYTES = 2 * 1024 ** 3;

/**
 * The folder for temporary files of tests that are not about disks: in memory if there is space, otherwise the usual one.
 * Each of a thousand tests makes a database, and a disk's journal takes longer for its files than the test does.
 */
export function memoryFolder(): string {
  try {
    accessSync(IN_MEMORY, constants.W_OK);
    const { bsize, bavail } = statfsSync(IN_MEMORY);
    return bsize * bavail >= NEEDED_BYTES ? IN_MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}
