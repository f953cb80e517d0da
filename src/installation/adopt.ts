import { withoutRow } from '../coredumps/orphan-sweep.js';
import { withoutBuild } from '../firmware/orphan-sweep.js';
import type { Db } from '../platform/database/types.js';
import { readIdentity, renewIdentity } from './identity.js';
import { assertComplete, type Pair } from './matching.js';
import { noteText, withStorageCheck } from './note.js';
import { type Holds, highestId, type NamedStore } from './stores.js';

export interface Adopted {
  readonly installation: string;
  /** Files without a row; the next start sets them aside. */
  readonly rowless: Record<Holds, number>;
  /** Files that are already set aside. */
  readonly aside: Record<Holds, number>;
}

const BATCH = 500;

/**
 * Makes a database and a storage one new installation, whatever they belonged to before. A former partner of either no
 * longer matches. No file is changed.
 * @throws Error with one clear sentence, DomainError
 */
export async function adopt(pair: Pair, now: Date): Promise<Adopted> {
  const { db } = pair.database;
  assertComplete(pair, { identity: await readIdentity(db), notes: [] });
  const [rowless, aside] = [
    { Coredump: 0, Firmware: 0 },
    { Coredump: 0, Firmware: 0 },
  ];
  for (const store of pair.stores) {
    await withStorageCheck(store, async () => {
      rowless[store.holds] = await countRowless(db, store, store.blobs.list());
      aside[store.holds] = await countRowless(db, store, store.blobs.orphans());
    });
  }
  return { installation: await pairAnew(pair, now), rowless, aside };
}

/** The database first: if the process is killed in between, the two do not match, and adopt can be run again. */
export async function pairAnew(
  { database: { db }, stores }: Pick<Pair, 'database' | 'stores'>,
  now: Date,
): Promise<string> {
  // A copy of before has sessions that were signed out since.
  await db.session.deleteMany();
  const { installation } = await renewIdentity(db, now);
  for (const store of stores) await noteComplete(db, store, installation);
  return installation;
}

/** Writes the note of a complete storage, with the highest id in the database. */
export async function noteComplete(
  db: Db,
  { blobs, holds }: Pick<NamedStore, 'blobs' | 'holds'>,
  installation: string,
): Promise<void> {
  const note = { installation, holds, keptSince: null, importingFrom: null };
  await blobs.note.replace(noteText({ ...note, highestId: await highestId(db, holds) }));
}

async function countRowless(
  db: Db,
  { holds }: NamedStore,
  blobs: AsyncIterable<{ key: string }>,
): Promise<number> {
  const rowlessOf = holds === 'Coredump' ? withoutRow : withoutBuild;
  let count = 0;
  let batch: string[] = [];
  for await (const { key } of blobs) {
    if (batch.push(key) < BATCH) continue;
    count += (await rowlessOf(db, batch)).length;
    batch = [];
  }
  return count + (await rowlessOf(db, batch)).length;
}
