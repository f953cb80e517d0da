import { type Database, Prisma } from './database.js';

/**
 * One condition for each word of `search`. Case does not matter: SQLite folds ASCII letters only, PostgreSQL all.
 *
 * @param anyOf where a word may stand; `isIn(column)` is the SQL for "this column contains the word"
 */
export function containsWords(
  search: string,
  anyOf: (isIn: (column: Prisma.Sql) => Prisma.Sql) => Prisma.Sql,
): Prisma.Sql[] {
  const words = search.split(/\s+/).filter(Boolean);
  return words.map((word) => {
    const pattern = `%${word.replace(/[\\%_]/g, '\\$&')}%`;
    // Both sides are folded by the database: folding one of them here would lose what the database cannot fold.
    return anyOf((column) => Prisma.sql`lower(${column}) LIKE lower(${pattern}) ESCAPE '\\'`);
  });
}

/** A word or phrase that must occur; the last of its words, lower-case letters and digits, may be a prefix. */
interface Term {
  words: readonly string[];
  isPrefix: boolean;
}

/**
 * Ids of the newest dumps whose output has all terms, from the index of each database: the one thing that the two do
 * not say alike.
 */
export async function searchOutputs(
  { db, isShared }: Pick<Database, 'db' | 'isShared'>,
  terms: readonly Term[],
  take: number,
): Promise<number[]> {
  const rows = isShared
    ? await db.$queryRaw<Array<{ id: number }>>`
        SELECT t."coredumpId" AS "id" FROM "CoredumpText" t
        WHERE to_tsvector('simple', regexp_replace(left(t."output", 200000), '[^[:alnum:]]+', ' ', 'g'))
          @@ to_tsquery('simple', ${terms.map(toTsquery).join(' & ')})
        ORDER BY t."coredumpId" DESC LIMIT ${take}`
    : await db.$queryRaw<Array<{ id: number }>>`
        SELECT "rowid" AS "id" FROM "CoredumpSearch" WHERE "CoredumpSearch" MATCH ${terms.map(toFts5).join(' AND ')}
        ORDER BY "rowid" DESC LIMIT ${take}`;
  return rows.map(({ id }) => Number(id));
}

function toTsquery({ words, isPrefix }: Term): string {
  return `(${words.join(' <-> ')}${isPrefix ? ':*' : ''})`;
}

function toFts5({ words, isPrefix }: Term): string {
  return `"${words.join(' ')}"${isPrefix ? '*' : ''}`;
}
