import { statfs } from 'node:fs/promises';

/** What is free on the disk of a path, for who is not root; null where that cannot be asked. */
export async function diskSpace(path: string): Promise<{ freeBytes: number; freeInodes: number } | null> {
  try {
    const { bsize, bavail, ffree } = await statfs(path);
    return { freeBytes: bsize * bavail, freeInodes: ffree };
  } catch {
    return null;
  }
}
