import { open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeFolder } from '../../files/durable-folder.js';
import { hasCode } from '../../files/system-errors.js';

/** What every database begins with: https://www.sqlite.org/fileformat.html#the_database_header */
const MAGIC = 'SQLite format 3\0';

/** An error for whoever starts the server: one line with the setting, the file, and what is wrong. */
export function databaseProblem(file: string, what: string, cause?: unknown): Error {
  return new Error(`DATABASE_URL: the database ${file} ${what}`, { cause });
}

/**
 * Makes the folder of a database and sees that the file can be one, before SQLite opens it: a named pipe or a device
 * would be waited for, or take what is written.
 *
 * @throws Error with one clear sentence
 */
export async function prepareDatabaseFile(file: string): Promise<void> {
  if (file.includes('?')) {
    throw databaseProblem(file, 'is to be named without parameters: what follows "?" does nothing here');
  }
  if (file.startsWith(':')) throw databaseProblem(file, 'is none that is kept: name a file');
  try {
    await makeFolder(dirname(resolve(file)));
  } catch (error) {
    throw databaseProblem(file, `has no folder, and it cannot be made: ${reasonOf(error)}`, error);
  }
  const kind = await kindOf(file);
  if (kind !== null) throw databaseProblem(file, `cannot be used: it is ${kind}`);
}

/** @returns what it is instead of a database; null for a database, an empty file, or nothing yet */
async function kindOf(file: string): Promise<string | null> {
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) return 'a folder';
    if (!stats.isFile()) return 'no plain file';
    if (stats.size === 0) return null;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw databaseProblem(file, `cannot be read: ${reasonOf(error)}`, error);
  }
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw databaseProblem(file, `cannot be read: ${reasonOf(error)}`, error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === MAGIC ? null : 'a file of something else than SQLite';
  } finally {
    await handle.close();
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
