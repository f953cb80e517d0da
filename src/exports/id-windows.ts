import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';

/** A range of ids, both ends inclusive. */
export interface IdWindow {
  first: number;
  last: number;
}

/**
 * The ids of a table in windows of `size` rows, the newest first. A filter is then asked window by window, so that no
 * statement takes long, however few rows match, and however large the table is.
 *
 * @param table comes from the program, never from a user
 */
export async function* idWindows(db: Db, table: string, size: number): AsyncGenerator<IdWindow, void> {
  const from = Prisma.raw(`"${table}"`);
  const [end] = await db.lookup<{ id: number | null }>(Prisma.sql`SELECT max(r."id") AS "id" FROM ${from} r`);
  let last = end?.id ?? 0;
  while (last > 0) {
    const [lowest] = await db.lookup<{ id: number }>(Prisma.sql`
      SELECT r."id" FROM ${from} r WHERE r."id" <= ${last} ORDER BY r."id" DESC LIMIT 1 OFFSET ${size - 1}`);
    const first = lowest?.id ?? 1;
    yield { first, last };
    last = first - 1;
  }
}
