import { access, constants, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../../../errors.js';
import { makeFolder } from '../../files/durable-folder.js';
import { hasCode } from '../../files/system-errors.js';

/** Start of every database file: https://www.sqlite.org/fileformat.html#the_database_header */
const MAGIC = 'SQLite format 3\0';

/** An error for the operator: one line with the setting, the file and the problem. */
export function databaseProblem(file: string, what: string, cause?: unknown): Error {
  return new Error(`DATABASE_URL: the database ${file} ${what}`, { cause });
}

/**
 * Makes the folder of a database and checks the file before SQLite opens it: SQLite would wait for a named pipe, and
 * write into a device.
 *
 * @throws Error with one clear sentence
 */
export async function prepareDatabaseFile(file: string): Promise<void> {
  if (file.includes('?')) {
    throw databaseProblem(file, 'must be named without parameters: the part after "?" has no effect');
  }
  if (file.startsWith(':')) throw databaseProblem(file, 'is not stored on disk: name a file');
  try {
    await makeFolder(dirname(resolve(file)));
  } catch (error) {
    throw databaseProblem(file, `has no folder, and it cannot be made: ${messageOf(error)}`, error);
  }
  const kind = await kindOf(file);
  if (kind !== null) throw databaseProblem(file, `cannot be used: it is ${kind}`);
  try {
    await access(file, constants.W_OK);
  } catch (error) {
    // SQLite would open it for reading only, and the first write would fail.
    if (!hasCode(error, 'ENOENT'))
      throw databaseProblem(file, `cannot be written: ${messageOf(error)}`, error);
  }
}

/** @returns what the file is instead of a database; null for a database, an empty file, or a missing file */
async function kindOf(file: string): Promise<string | null> {
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) return 'a folder';
    if (!stats.isFile()) return 'not a plain file';
    if (stats.size === 0) return null;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw databaseProblem(file, `cannot be read: ${messageOf(error)}`, error);
  }
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw databaseProblem(file, `cannot be read: ${messageOf(error)}`, error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === MAGIC ? null : 'not an SQLite file';
  } finally {
    await handle.close();
  }
}
