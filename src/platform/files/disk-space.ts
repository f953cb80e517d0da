import { statfs } from 'node:fs/promises';

export interface DiskSpace {
  /** For users other than root. */
  freeBytes: number;
  usedBytes: number;
  freeInodes: number;
}

/** Space on the disk of a path; null if the system does not report it. */
export async function diskSpace(path: string): Promise<DiskSpace | null> {
  try {
    const { bsize, blocks, bfree, bavail, ffree } = await statfs(path);
    return { freeBytes: bsize * bavail, usedBytes: bsize * (blocks - bfree), freeInodes: ffree };
  } catch {
    return null;
  }
}
