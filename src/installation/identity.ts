import { randomUUID } from 'node:crypto';
import { isUniqueViolation } from '../platform/database/errors.js';
import type { Db, DbTransaction } from '../platform/database/types.js';

/** The installation that a database belongs to. */
export interface Identity {
  /** The UUID of the installation. */
  readonly installation: string;
  /** The folder of the export that is being imported; null once the import is complete. */
  readonly importingFrom: string | null;
}

/** The id of the only row. */
const ROW = 1;

/** @returns null for a database without an identity */
export async function readIdentity(db: Db | DbTransaction): Promise<Identity | null> {
  const row = await db.installation.findUnique({ where: { id: ROW } });
  return row === null ? null : { installation: row.uuid, importingFrom: row.importingFrom };
}

/**
 * Returns the database's identity; makes it if there is none. Servers that make it at the same time get the same one.
 */
export async function makeIdentity(
  db: Db,
  now: Date,
  importingFrom: string | null = null,
): Promise<Identity> {
  const made = { installation: randomUUID(), importingFrom };
  try {
    await db.installation.create({
      data: { id: ROW, uuid: made.installation, createdAt: now, importingFrom },
    });
    return made;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const other = await readIdentity(db);
    if (other === null) throw error;
    return other;
  }
}

/** Gives the database a new identity. */
export async function renewIdentity(db: Db, now: Date): Promise<Identity> {
  const uuid = randomUUID();
  const row = { uuid, createdAt: now, importingFrom: null };
  await db.installation.upsert({ where: { id: ROW }, create: { id: ROW, ...row }, update: row });
  return { installation: uuid, importingFrom: null };
}

export async function noteImport(db: Db | DbTransaction, importingFrom: string | null): Promise<void> {
  await db.installation.update({ where: { id: ROW }, data: { importingFrom } });
}
