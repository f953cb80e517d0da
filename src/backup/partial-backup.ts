import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../errors.js';
import { type Lock, takeLock } from '../platform/database/sqlite/lock-file.js';
import { syncFolder } from '../platform/files/durable-folder.js';

const PARTIAL = '.coredock-partial';
const LOCK = '.lock';
/** The journal of a lock file of an earlier version. */
const JOURNAL = `${LOCK}-journal`;

/** A process that removes leftovers holds the lock for a moment. */
const LOCK_WAIT_MS = 2_000;

/** A backup in progress, in a folder beside its target. */
export interface PartialBackup {
  readonly folder: string;
  /** Renames the folder to its target, which may be an existing empty folder. */
  finish(): Promise<void>;
  /** Removes the unfinished folder and the lock; call it also after `finish`. */
  end(): Promise<void>;
}

export interface Leftovers {
  /** Folders of interrupted backups, now removed. */
  readonly removed: string[];
  /** Possible leftovers of an earlier version: it is unknown whether a backup is running. */
  readonly unknown: string[];
}

/**
 * Starts a backup in a separate folder. The folder is locked while this process lives, so a folder without a lock
 * holder is certainly a leftover.
 * @throws Error with one clear sentence when another backup writes to the same folder
 */
export async function beginPartial(folder: string): Promise<PartialBackup> {
  const partial = `${folder}${PARTIAL}`;
  await mkdir(dirname(folder), { recursive: true });
  const lock = lockBeside(folder);
  if (lock === null) throw new Error(`another backup is writing to ${folder}`);
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
  } catch (error) {
    lock.remove();
    throw error;
  }
  return {
    folder: partial,
    async finish() {
      await rename(partial, folder);
      await syncFolder(dirname(folder));
    },
    async end() {
      await rm(partial, { recursive: true, force: true });
      lock.remove();
    },
  };
}

function lockBeside(folder: string): Lock | null {
  try {
    return takeLock(`${folder}${PARTIAL}${LOCK}`, { waitMs: LOCK_WAIT_MS });
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(`the folder ${folder} cannot be made: ${dirname(folder)} cannot be written (${reason})`, {
      cause: error,
    });
  }
}

/**
 * Removes what interrupted backups left beside `folder`, however they ended. A backup takes its lock before it creates
 * its folder, and holds it until the folder is renamed or removed.
 */
export async function removeLeftovers(folder: string): Promise<Leftovers> {
  const beside = dirname(folder);
  const names = await readdir(beside).catch(() => []);
  const [removed, unknown]: [string[], string[]] = [[], []];
  for (const path of new Set(names.flatMap(partialOf).map((name) => join(beside, name)))) {
    const lock = existsSync(path) && !existsSync(`${path}${LOCK}`) ? 'unknown' : lockOf(path);
    // A backup is running.
    if (lock === null) continue;
    if (lock === 'unknown') {
      unknown.push(existsSync(path) ? path : `${path}${LOCK}`);
      continue;
    }
    if (existsSync(path)) removed.push(path);
    await rm(path, { recursive: true, force: true });
    await rm(`${path}${JOURNAL}`, { force: true });
    lock.remove();
  }
  return { removed, unknown };
}

/** The name of the partial backup to which a file or folder with this name belongs. */
function partialOf(name: string): string[] {
  const suffix = ['', LOCK, JOURNAL].find((each) => name.endsWith(`${PARTIAL}${each}`));
  return suffix === undefined ? [] : [name.slice(0, name.length - suffix.length)];
}

/** @returns null when a process holds the lock, 'unknown' when that cannot be checked (a lock of another user) */
function lockOf(path: string): Lock | 'unknown' | null {
  try {
    return takeLock(`${path}${LOCK}`);
  } catch {
    return 'unknown';
  }
}
