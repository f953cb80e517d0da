import * as z from 'zod';
import { parseJson } from '../platform/json.js';
import { CONTENTS, type NamedStore } from './stores.js';

/** The file in a storage that names its installation. */
export interface Note {
  /** The UUID of the installation. */
  readonly installation: string;
  readonly holds: 'Coredump' | 'Firmware';
  /**
   * The highest id of a row whose bytes may be in this storage, when it was last noted; an older database has only
   * lower ids.
   */
  readonly highestId: number;
  /**
   * Since when files without a row are kept, because a newer database may have had rows for them; null if they are not.
   */
  readonly keptSince: string | null;
  /** The folder of the export that is being imported; null once the import is complete. */
  readonly importingFrom: string | null;
}

const FORMAT = 'coredock-storage-1';

const noteSchema = z.object({
  format: z.literal(FORMAT),
  installation: z.uuid(),
  holds: z.enum(['Coredump', 'Firmware']),
  highestId: z.number(),
  keptSince: z.string().nullable(),
  importingFrom: z.string().nullable(),
});

/** @throws Error with one clear sentence; DomainError that names the place when the storage cannot be used */
export async function readNote(store: NamedStore): Promise<Note | null> {
  const text = await withStorageCheck(store, () => store.blobs.note.read());
  if (text === null) return null;
  const parsed = noteSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new Error(
      `${store.setting}: the file .installation.json in ${store.place} is damaged, or of a newer version of Coredock; ` +
        'if it is damaged, remove it: the next start compares files and database, and writes a new one',
    );
  }
  const { format: _, ...note } = parsed.data;
  if (note.holds === store.holds) return note;
  throw new Error(
    `${store.setting}: ${store.place} holds ${CONTENTS[note.holds]}, not ${store.contents}; ` +
      'COREDUMPS_DIR and ASSETS_DIR must be two folders, and must not be swapped; nothing was changed',
  );
}

export function noteText(note: Note): string {
  return `${JSON.stringify({ format: FORMAT, ...note }, null, 2)}\n`;
}

/** Runs `read`. After a failure it runs the storage's own check, whose error names place and reason. */
export async function withStorageCheck<Answer>(
  { blobs }: Pick<NamedStore, 'blobs'>,
  read: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await read();
  } catch (error) {
    await blobs.check();
    throw error;
  }
}
