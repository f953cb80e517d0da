import type { Database } from '../platform/database/types.js';
import { type Identity, readIdentity } from './identity.js';
import { type Note, readNote, withStorageCheck } from './note.js';
import { databasePlace, type NamedStore, newestKeys } from './stores.js';

/** A database, and the storage that is checked against it. */
export interface Pair {
  readonly database: Pick<Database, 'db' | 'isShared'>;
  readonly databaseUrl: string;
  readonly stores: readonly NamedStore[];
}

/** The installation that each side names. */
export interface Claims {
  readonly identity: Identity | null;
  /** In the order of the stores; null for a storage without a note. */
  readonly notes: ReadonlyArray<Note | null>;
}

/** Newest rows that are compared with the files of a storage without a note. */
const SAMPLE = 20;

/**
 * Reads and compares what both sides name. Changes nothing.
 * @throws Error with one clear line when they contradict each other
 */
export async function claimsOf(pair: Pair): Promise<Claims> {
  // The storage first: an identity is written to the database before any storage. So if a note is read, the identity
  // can be read too, even while another server writes both.
  const notes: Array<Note | null> = [];
  for (const store of pair.stores) notes.push(await readNote(store));
  const identity = await readIdentity(pair.database.db);
  pair.stores.forEach((store, index) => {
    const note = notes[index];
    if (note != null && note.installation !== identity?.installation)
      throw foreign(pair, store, identity, note);
  });
  return { identity, notes };
}

/** @throws Error with one clear line when an import into this pair is unfinished */
export function assertComplete(pair: Pair, { identity }: Claims): void {
  const folder = identity?.importingFrom ?? null;
  if (folder === null) return;
  throw new Error(
    `the import from ${folder} into ${databasePlace(pair.databaseUrl)} (DATABASE_URL) and ${placesOf(pair)} is not ` +
      `finished: run "coredock import ${folder}" again with the same settings, which continues where it stopped; or start ` +
      'again with an empty database and storage',
  );
}

/**
 * Checks whether a storage without a note can belong to the database: it has the files of most of the newest rows, or
 * there are neither rows nor files. Changes nothing.
 * @throws Error with one clear line when it cannot
 */
export async function assertFits(pair: Pair, store: NamedStore): Promise<void> {
  const keys = await newestKeys(pair.database.db, store.holds, SAMPLE);
  const { isEmpty, present } = await withStorageCheck(store, () => store.blobs.peek(keys));
  if (keys.length === 0 ? isEmpty : present * 2 >= keys.length) return;
  throw new Error(
    `${refusal(pair, store)}: ${mismatchOf(store, { rows: keys.length, isEmpty, present })}; nothing was changed. ${ADVICE}`,
  );
}

function mismatchOf(
  { contents, place }: NamedStore,
  { rows, isEmpty, present }: { rows: number; isEmpty: boolean; present: number },
): string {
  if (rows === 0) return `${place} has files, but the database has no ${contents}`;
  if (isEmpty) return `${place} is empty, but the database has rows of ${contents}; is a disk not mounted?`;
  return `${place} has the files of only ${present} of the database's newest ${rows} rows of ${contents}`;
}

function foreign(pair: Pair, store: NamedStore, identity: Identity | null, note: Note): Error {
  const database =
    identity === null
      ? 'the database is new, or older than that'
      : `the database is that of ${identity.installation}`;
  const unfinished =
    note.importingFrom === null ? '' : ` (into which the import from ${note.importingFrom} is not finished)`;
  return new Error(
    `${refusal(pair, store)}: ${store.place} belongs to the installation ${note.installation}${unfinished}, and ` +
      `${database}; nothing was changed. ${ADVICE}`,
  );
}

const ADVICE =
  'Correct the setting that is wrong; to join the two from now on, run "coredock adopt" with these settings';

function refusal({ databaseUrl }: Pair, { place, setting }: NamedStore): string {
  return `${databasePlace(databaseUrl)} (DATABASE_URL) and ${place} (${setting}) do not belong together`;
}

function placesOf({ stores }: Pair): string {
  return stores.map(({ place, setting }) => `${place} (${setting})`).join(' and ');
}
