import { Prisma } from './client.js';
import type { Database, Db } from './types.js';

/**
 * One condition per word of `search`. Case-insensitive: SQLite folds only ASCII letters, PostgreSQL all.
 *
 * @param anyOf combines the columns to search; `isIn(column)` is the SQL for "this column contains the word"
 */
export function containsWords(
  search: string,
  anyOf: (isIn: (column: Prisma.Sql) => Prisma.Sql) => Prisma.Sql,
): Prisma.Sql[] {
  const words = search.split(/\s+/).filter(Boolean);
  return words.map((word) => {
    const pattern = `%${word.replace(/[\\%_]/g, '\\$&')}%`;
    // The database folds both sides: folding one of them here would break letters that the database cannot fold.
    return anyOf((column) => Prisma.sql`lower(${column}) LIKE lower(${pattern}) ESCAPE '\\'`);
  });
}

/** A word or phrase that must occur; the last word may be a prefix. Words are lower-case letters and digits. */
interface Term {
  words: readonly string[];
  isPrefix: boolean;
}

/**
 * Ids of the newest dumps whose output contains all terms, from the text index of each database; the SQL differs
 * between the two.
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

/** How many of the newest ids are searched, step by step, until enough were found; in the last step all. */
const REACHES = [100, 10_000, 1_000_000, Number.POSITIVE_INFINITY];

/**
 * PostgreSQL's text index has no order. For the newest dumps with a word, PostgreSQL reads either every dump with the
 * word, or dump after dump, whose words it must split again, until enough match. The first takes too long for frequent
 * words, the second for rare words, and PostgreSQL cannot tell which is which. So the query is limited to the newest
 * dumps first, and to more of them while too few were found. A query in WITH is not planned for the few rows that are
 * needed.
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
