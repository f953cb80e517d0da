import { statfs } from 'node:fs/promises';

/** Free space on the disk of a path, for users other than root; null if the system does not report it. */
export async function diskSpace(path: string): Promise<{ freeBytes: number; freeInodes: number } | null> {
  try {
    const { bsize, bavail, ffree } = await statfs(path);
    return { freeBytes: bsize * bavail, freeInodes: ffree };
  } catch {
    return null;
  }
}
