import { z } from 'zod';
import { parseJson } from '../platform/json.js';
import { CONTENTS, type NamedStore } from './stores.js';

/** The file in a storage that says which installation it belongs to. */
export interface Note {
  /** The UUID of the installation that it belongs to. */
  readonly installation: string;
  readonly holds: 'Coredump' | 'Firmware';
  /** The highest id, when it was last noted, of a row whose bytes may be here; an older database has only lower ones. */
  readonly highestId: number;
  /** Since when files without a row are kept, because a newer state of the database may have had rows for them; or null. */
  readonly keptSince: string | null;
  /** The folder of the export from which it is being filled; null once it is complete. */
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
  const text = await reaching(store, () => store.blobs.note.read());
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

/** Reads, and after a failure runs the storage's own check, whose error names place and reason. */
export async function reaching<Answer>(
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
