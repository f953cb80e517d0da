import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface TinyDisk {
  readonly path: string;
  makeReadOnly(): void;
  remove(): void;
}

/** A real file system of some megabytes in memory, or null where this user may not mount one. */
export function mountTinyDisk(megabytes = 1): TinyDisk | null {
  return mounted((path) => run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path));
}

/**
 * The same with ext4 in a file: its blocks of 1 KiB are smaller than a page of memory, so files that are mapped can have
 * holes within a page.
 */
export function mountExt4(megabytes: number): TinyDisk | null {
  const image = `${mkdtempSync(join(tmpdir(), 'coredock-ext4-'))}/image`;
  writeFileSync(image, '');
  truncateSync(image, megabytes * 1024 * 1024);
  const disk = mounted(
    (path) =>
      run('mkfs.ext4', '-q', '-b', '1024', '-m', '0', image) && run('mount', '-o', 'loop', image, path),
  );
  const removeImage = () => rmSync(dirname(image), { recursive: true, force: true });
  if (disk === null) {
    removeImage();
    return null;
  }
  return {
    ...disk,
    remove() {
      disk.remove();
      removeImage();
    },
  };
}

/** Fills a disk to its last byte. @returns makes room again */
export function fillDisk(path: string, name = 'ballast'): () => void {
  const file = join(path, name);
  const fd = openSync(file, 'w');
  for (const size of [1024 * 1024, 64 * 1024, 4096, 512, 1]) {
    const piece = Buffer.alloc(size, 'x');
    try {
      for (;;) writeSync(fd, piece);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }
  closeSync(fd);
  return () => rmSync(file, { force: true });
}

/** Takes every inode that is left. @returns gives them back */
export function takeInodes(path: string): () => void {
  const folder = mkdtempSync(join(path, 'inodes-'));
  try {
    for (let index = 0; ; index++) writeFileSync(join(folder, String(index)), '');
  } catch {
    if (statfsSync(path).ffree > 10) throw new Error('there are inodes left');
  }
  return () => rmSync(folder, { recursive: true });
}

function mounted(mount: (path: string) => boolean): TinyDisk | null {
  if (process.platform !== 'linux') return null;
  const path = mkdtempSync(join(tmpdir(), 'coredock-tiny-disk-'));
  const isMounted = mount(path);
  const remove = () => {
    // Lazily where a program that was just ended has not let go of it yet.
    if (isMounted && !run('umount', path)) run('umount', '-l', path);
    rmSync(path, { recursive: true, force: true });
  };
  if (!isMounted) {
    remove();
    return null;
  }
  return {
    path,
    makeReadOnly() {
      if (!run('mount', '-o', 'remount,ro', path)) throw new Error('could not remount the tiny disk');
    },
    remove,
  };
}

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
