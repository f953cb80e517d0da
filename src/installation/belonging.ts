import type { Database } from '../platform/database/types.js';
import { type Identity, readIdentity } from './identity.js';
import { type Note, reaching, readNote } from './note.js';
import { databasePlace, type NamedStore, newestKeys } from './stores.js';

/** What is asked of a database and its storage. */
export interface Pair {
  readonly database: Pick<Database, 'db' | 'isShared'>;
  readonly databaseUrl: string;
  readonly stores: readonly NamedStore[];
}

/** What both sides say of themselves. */
export interface Claims {
  readonly identity: Identity | null;
  /** By the order of the stores; null for a storage that says nothing yet. */
  readonly notes: ReadonlyArray<Note | null>;
}

/** Rows that are compared with the files of a storage that does not say whose it is. */
const SAMPLE = 20;

/**
 * What both sides say, when neither contradicts the other. Changes nothing.
 * @throws Error with one clear line when they do
 */
export async function claimsOf(pair: Pair): Promise<Claims> {
  // The storage first: an identity is in the database before it is in any storage, so that whoever sees a note sees
  // the identity as well, also beside a server that is just making both.
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

/** @throws Error with one clear line when an import into this pair has begun and not ended */
export function assertWhole(pair: Pair, { identity }: Claims): void {
  const folder = identity?.importingFrom ?? null;
  if (folder === null) return;
  throw new Error(
    `the import from ${folder} into ${databasePlace(pair.databaseUrl)} (DATABASE_URL) and ${placesOf(pair)} is not ` +
      `finished: run "coredock import ${folder}" again with the same settings, which goes on where it stopped; or begin ` +
      'again with an empty database and storage',
  );
}

/**
 * Whether a storage that does not say whose it is can be that of the database: it has the files of most of the newest
 * rows; or there are neither rows nor files. Changes nothing.
 * @throws Error with one clear line when it cannot
 */
export async function assertFits(pair: Pair, store: NamedStore): Promise<void> {
  const keys = await newestKeys(pair.database.db, store.holds, SAMPLE);
  const { isEmpty, present } = await reaching(store, () => store.blobs.peek(keys));
  if (keys.length === 0 ? isEmpty : present * 2 >= keys.length) return;
  throw new Error(
    `${refusal(pair, store)}: ${misfit(store, { rows: keys.length, isEmpty, present })}; nothing was changed. ${ADVICE}`,
  );
}

function misfit(
  { contents, place }: NamedStore,
  { rows, isEmpty, present }: { rows: number; isEmpty: boolean; present: number },
): string {
  if (rows === 0) return `${place} has files, and the database knows no ${contents}`;
  if (isEmpty) return `${place} is empty, and the database has rows of ${contents}; is a disk not mounted?`;
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
  'Set right the one that is wrong; only if they are to belong together from now on, run "coredock adopt" with these settings';

function refusal({ databaseUrl }: Pair, { place, setting }: NamedStore): string {
  return `${databasePlace(databaseUrl)} (DATABASE_URL) and ${place} (${setting}) do not belong together`;
}

function placesOf({ stores }: Pair): string {
  return stores.map(({ place, setting }) => `${place} (${setting})`).join(' and ');
}
