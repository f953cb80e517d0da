import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../platform/blobs/folder-sync.js';
import { takeLock } from '../platform/database/lock-file.js';

const PARTIAL = '.coredock-partial';
const LOCK = '.lock';

/** A backup that is being written, beside where it is to be. */
export interface PartialBackup {
  readonly folder: string;
  /** Gives it its name. An empty folder may have it. */
  finish(): Promise<void>;
  /** Removes what there is of it; to be called also after `finish`. */
  end(): Promise<void>;
}

export interface Leftovers {
  /** Of backups that were interrupted; they are gone. */
  readonly removed: string[];
  /** What may be left of a backup by an earlier version: nobody can say whether one is at work. */
  readonly unknown: string[];
}

/**
 * Begins a backup in a folder of its own, which is locked while this process lives: so what another one has left is
 * known for certain.
 * @throws Error with one clear sentence when another backup writes to the same folder
 */
export async function beginPartial(folder: string): Promise<PartialBackup> {
  const partial = `${folder}${PARTIAL}`;
  await mkdir(dirname(folder), { recursive: true });
  const lock = takeLock(`${partial}${LOCK}`);
  if (lock === null) throw new Error(`another backup is writing to ${folder}`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  return {
    folder: partial,
    async finish() {
      await rename(partial, folder);
      await syncFolder(dirname(folder));
    },
    async end() {
      await rm(partial, { recursive: true, force: true });
      await rm(`${partial}${LOCK}`, { force: true });
      lock.release();
    },
  };
}

/** Removes what interrupted backups have left beside `folder`. */
export async function removeLeftovers(folder: string): Promise<Leftovers> {
  const beside = dirname(folder);
  const names = await readdir(beside).catch(() => []);
  const [removed, unknown]: [string[], string[]] = [[], []];
  for (const path of names.filter((name) => name.endsWith(PARTIAL)).map((name) => join(beside, name))) {
    if (!existsSync(`${path}${LOCK}`)) {
      unknown.push(path);
      continue;
    }
    const lock = takeLock(`${path}${LOCK}`);
    // Somebody is writing it.
    if (lock === null) continue;
    await rm(path, { recursive: true, force: true });
    await rm(`${path}${LOCK}`, { force: true });
    lock.release();
    removed.push(path);
  }
  return { removed, unknown };
}
