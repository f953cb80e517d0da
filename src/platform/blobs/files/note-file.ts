import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../files/durable-folder.js';
import { hasCode } from '../../files/system-errors.js';
import type { StorageNote } from '../blob-store.js';
import { asStorageError, storageCall } from '../storage-errors.js';
import { giveName } from './publish-batch.js';
import type { Spool } from './spool.js';

/** Not a valid blob key: those do not start with a dot. */
export const NOTE_NAME = '.installation.json';

/** The note of a storage that is a folder: a file in it that is always replaced as a whole. */
export function createNoteFile({
  root,
  spool,
}: {
  root: string;
  spool: Pick<Spool, 'folder' | 'prepare'>;
}): StorageNote {
  const path = join(root, NOTE_NAME);

  return {
    async read() {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
        throw asStorageError(error);
      }
    },

    claim: (text) => storageCall(write(text, async (temporary) => giveName(temporary, path))),

    async replace(text) {
      await storageCall(write(text, (temporary) => rename(temporary, path).then(() => true)));
    },
  };

  async function write(text: string, name: (temporary: string) => Promise<boolean>): Promise<boolean> {
    await spool.prepare();
    const temporary = join(spool.folder, randomUUID());
    try {
      const handle = await open(temporary, 'wx');
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      if (!(await name(temporary))) return false;
      await syncFolder(root);
      return true;
    } finally {
      await rm(temporary, { force: true });
    }
  }
}
