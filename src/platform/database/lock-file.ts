import { DatabaseSync } from '@photostructure/sqlite';

/**
 * A lock among processes, by SQLite's own: the operating system lifts it whatever way its holder ends.
 * @param path of a file that is made if it is missing, and stays
 * @returns null when another process holds it
 */
export function takeLock(path: string): { release(): void } | null {
  const lock = new DatabaseSync(path);
  try {
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return { release: () => lock.close() };
  } catch {
    lock.close();
    return null;
  }
}
