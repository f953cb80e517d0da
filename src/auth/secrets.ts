import { randomBytes } from 'node:crypto';
import type { Clock } from '../platform/clock.js';
import { isUniqueViolation } from '../platform/database/errors.js';
import type { Db } from '../platform/database/types.js';

/** A random key, made once and shared by all servers of this database. */
export async function readSecret(db: Db, name: string, clock: Pick<Clock, 'now'>): Promise<Buffer> {
  const found = await db.secret.findUnique({ where: { name } });
  if (found !== null) return Buffer.from(found.value, 'base64url');
  const value = randomBytes(32).toString('base64url');
  try {
    await db.secret.create({ data: { name, value, createdAt: clock.now() } });
    return Buffer.from(value, 'base64url');
  } catch (error) {
    // Another server has made it at the same time.
    if (!isUniqueViolation(error)) throw error;
    return readSecret(db, name, clock);
  }
}
