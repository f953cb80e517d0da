import { type Identity, makeIdentity, noteImport } from './identity.js';
import { claimsOf, type Pair } from './matching.js';
import { noteText, withStorageCheck } from './note.js';
import { databasePlace } from './stores.js';

/**
 * Marks database and storage as unfinished before the first byte or row is written. Until the database is marked as
 * complete (`noteImport` with null), no server starts on them, and only an import continues.
 *
 * @throws Error with one clear line when they do not belong together, or the storage is neither empty nor left by an
 *   unfinished import
 */
export async function beginImport(pair: Pair, folder: string, now: Date): Promise<Identity> {
  const { db } = pair.database;
  const { identity, notes } = await claimsOf(pair);
  for (const [index, store] of pair.stores.entries()) {
    if (notes[index] !== null) continue;
    const { isEmpty } = await withStorageCheck(store, () => store.blobs.peek([]));
    if (isEmpty) continue;
    throw new Error(
      `${store.place} (${store.setting}) has files already: import needs an empty storage for ` +
        `${databasePlace(pair.databaseUrl)} (DATABASE_URL)`,
    );
  }
  const { installation, importingFrom } = identity ?? (await makeIdentity(db, now, folder));
  if (importingFrom !== folder) await noteImport(db, folder);
  for (const [index, { blobs, holds }] of pair.stores.entries()) {
    const note = notes[index] ?? { installation, holds, highestId: 0, keptSince: null };
    await blobs.note.replace(noteText({ ...note, importingFrom: folder }));
  }
  return { installation, importingFrom: folder };
}
