import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TinyDisk {
  readonly path: string;
  makeReadOnly(): void;
  remove(): void;
}

/** A real file system of some megabytes in memory, or null where this user may not mount one. */
export function mountTinyDisk(megabytes = 1): TinyDisk | null {
  if (process.platform !== 'linux') return null;
  const path = mkdtempSync(join(tmpdir(), 'coredock-tiny-disk-'));
  const isMounted = run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path);
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
