import { Prisma } from './client.js';
import type { Database, Db } from './types.js';

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
  if (isShared) return searchWords(db, terms.map(toTsquery).join(' & '), take);
  const rows = await db.$queryRaw<Array<{ id: number }>>`
    SELECT "rowid" AS "id" FROM "CoredumpSearch" WHERE "CoredumpSearch" MATCH ${terms.map(toFts5).join(' AND ')}
      AND "rowid" NOT IN (SELECT "coredumpId" FROM "EarlierReading")
    ORDER BY "rowid" DESC LIMIT ${take}`;
  return rows.map(({ id }) => Number(id));
}

/** How many of the newest ids are searched, step by step, until enough was found; in the end all. */
const REACHES = [100, 10_000, 1_000_000, Number.POSITIVE_INFINITY];

/**
 * PostgreSQL's index of words knows no order. Asked for the newest dumps that have a word, PostgreSQL reads either every
 * dump that has it, or dump after dump, splitting the words of each again, until enough have it. The first is endless for
 * frequent words, the second for rare words, and it cannot tell which they are. So it is asked for the newest
 * dumps first, and for more of them while too few were found. What stands in WITH is not planned for the few rows that
 * are wanted of it.
 */
async function searchWords(db: Db, query: string, take: number): Promise<number[]> {
  const [newest] = await db.$queryRaw<Array<{ id: number | null }>>`
    SELECT max("coredumpId") AS "id" FROM "CoredumpText"`;
  const newestId = newest?.id ?? 0;
  let found: number[] = [];
  for (const reach of REACHES) {
    const after = Math.max(0, newestId - reach);
    const rows = await db.$queryRaw<Array<{ id: number }>>`
      WITH found AS MATERIALIZED (
        SELECT t."coredumpId" AS "id" FROM "CoredumpText" t
        WHERE to_tsvector('simple', regexp_replace(left(t."output", 200000), '[^[:alnum:]]+', ' ', 'g'))
          @@ to_tsquery('simple', ${query}) AND t."coredumpId" > ${after}
      ) SELECT "id" FROM found WHERE "id" NOT IN (SELECT "coredumpId" FROM "EarlierReading")
      ORDER BY "id" DESC LIMIT ${take}`;
    found = rows.map(({ id }) => Number(id));
    if (found.length === take || after === 0) break;
  }
  return found;
}

function toTsquery({ words, isPrefix }: Term): string {
  return `(${words.join(' <-> ')}${isPrefix ? ':*' : ''})`;
}

function toFts5({ words, isPrefix }: Term): string {
  return `"${words.join(' ')}"${isPrefix ? '*' : ''}`;
}
