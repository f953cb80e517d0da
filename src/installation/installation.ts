import { lastCounted, tableNamed } from '../platform/database/tables.js';
import type { Database } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import { makeIdentity } from './identity.js';
import { assertComplete, assertFits, claimsOf, type Pair } from './matching.js';
import { type Note, noteText, readNote } from './note.js';
import { databasePlace, type Holds, highestId, type NamedStore } from './stores.js';

export type Installation = ReturnType<typeof runningInstallation>;

interface InstallationDeps extends Pair {
  readonly database: Database;
  readonly now: () => Date;
  readonly log: Logger;
}

/**
 * Ensures that database and storage belong together: both carry the UUID of their installation, made at the first
 * start. Call this before anything is written to the storage.
 *
 * 1. Both UUIDs are compared. A storage without one is compared with the rows.
 * 2. Only then is the identity made, in the database first, and noted in the storage.
 * 3. A warning is logged if the database is older than the note in the storage; then no file that is set aside is
 *    removed.
 *
 * @throws Error with one clear line when they do not belong together, and nothing was changed; DomainError
 */
export async function openInstallation(deps: InstallationDeps): Promise<Installation> {
  const { database, stores, now } = deps;
  const claims = await claimsOf(deps);
  assertComplete(deps, claims);
  for (const [index, store] of stores.entries()) {
    if (claims.notes[index] !== null) continue;
    await assertFits(deps, store);
    // Checks that the storage can be written: this error is clearer than that of writing the note.
    await store.blobs.check();
  }
  const { installation } = claims.identity ?? (await makeIdentity(database.db, now()));
  for (const [index, store] of stores.entries()) {
    if (claims.notes[index] === null) await claim(store, installation);
  }
  // Another server may have written a note at the same time, possibly for another database.
  const { notes } = await claimsOf(deps);
  for (const [index, store] of stores.entries()) {
    const note = notes[index];
    if (note != null) await warnIfOlder(store, note, deps);
  }
  return runningInstallation(deps, installation);
}

async function claim({ blobs, holds }: NamedStore, installation: string): Promise<void> {
  await blobs.note.claim(
    noteText({ installation, holds, highestId: 0, keptSince: null, importingFrom: null }),
  );
}

/** Warns when the database is older than the storage. Then files without a row are kept. */
async function warnIfOlder(
  store: NamedStore,
  note: Note,
  { database, databaseUrl, now, log }: InstallationDeps,
) {
  const last = await lastCounted(database, tableNamed(store.holds));
  const isOlder = last < note.highestId;
  const keptSince = note.keptSince ?? (isOlder ? now().toISOString() : null);
  // Those that were signed out since would be signed in again.
  if (keptSince !== note.keptSince) await database.db.session.deleteMany();
  // The process was killed between the last commit of an import and this note. The database says that the import is
  // complete.
  if (keptSince !== note.keptSince || note.importingFrom !== null) {
    await store.blobs.note.replace(noteText({ ...note, keptSince, importingFrom: null }));
  }
  if (keptSince === null) return;
  log.warn(
    { store: store.holds, keptSince, storageKnew: note.highestId, databaseKnows: last },
    `${databasePlace(databaseUrl)} is or was older than ${store.place}: is it a restored backup? Files without a row ` +
      'are set aside in .orphans/ and kept; if this database is the right one, run "coredock adopt"; then they are deleted after 7 days',
  );
}

function runningInstallation({ database, stores, log }: InstallationDeps, installation: string) {
  return {
    /** Its UUID. */
    id: installation,

    /**
     * Whether files that were set aside a week ago may be deleted.
     * @throws Error when the storage now belongs to another installation
     */
    async mayPurge(holds: Holds): Promise<boolean> {
      const store = stores.find((each) => each.holds === holds);
      const note = store === undefined ? null : await readNote(store);
      if (note?.installation === installation) return note.keptSince === null;
      throw new Error(`${store?.place ?? holds} does not belong to this installation any more`);
    },

    /**
     * Writes the database's highest id into the storage, so that an older state of the database is detected. Call it
     * periodically; failures are logged.
     */
    async noteProgress(): Promise<void> {
      for (const store of stores) {
        try {
          const note = await readNote(store);
          const highest = await highestId(database.db, store.holds);
          if (note?.installation !== installation || highest <= note.highestId) continue;
          await store.blobs.note.replace(noteText({ ...note, highestId: highest }));
        } catch (error) {
          log.warn(
            { err: error, store: store.holds },
            'the state of the database could not be noted in the storage',
          );
        }
      }
    },
  };
}
