import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { messageOf } from '../../../errors.js';
import { syncFolder } from '../../files/durable-folder.js';

/**
 * Copies a consistent state of a SQLite database, also while other connections write to it. The copy is on disk when
 * this resolves.
 *
 * @param to must not exist
 * @throws Error with one clear sentence
 */
export async function copySqlite(file: string, to: string): Promise<void> {
  if (!existsSync(file)) throw new Error(`there is no database ${file}`);
  const database = new DatabaseSync(file, { readOnly: true, timeout: 30_000 });
  try {
    // One read transaction, which in WAL mode blocks no writer.
    database.prepare('VACUUM INTO ?').run(to);
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(`the database ${file} cannot be copied to ${to}: ${reason}`, { cause: error });
  } finally {
    database.close();
  }
  const handle = await open(to, 'r+');
  await handle.sync().finally(() => handle.close());
  await syncFolder(dirname(to));
}
