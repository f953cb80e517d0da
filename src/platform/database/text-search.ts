import type { PageWindow } from './children.js';
import { Prisma } from './client.js';
import type { Database, Db } from './types.js';

/**
 * One condition per word of `search`. Case-insensitive: SQLite folds only ASCII letters, PostgreSQL all.
 *
 * @param anyOf combines the columns to search; `isIn(column)` is the SQL for "this column contains the word",
 *   and the word itself is for columns that are searched in another way
 */
export function containsWords(
  search: string,
  anyOf: (isIn: (column: Prisma.Sql) => Prisma.Sql, word: string) => Prisma.Sql,
): Prisma.Sql[] {
  const words = search.split(/\s+/).filter(Boolean);
  return words.map((word) => {
    const pattern = `%${word.replace(/[\\%_]/g, '\\$&')}%`;
    // The database folds both sides: folding one of them here would break letters that the database cannot fold.
    return anyOf((column) => Prisma.sql`lower(${column}) LIKE lower(${pattern}) ESCAPE '\\'`, word);
  });
}

/** A word or phrase that must occur; the last word may be a prefix. Words are lower-case letters and digits. */
interface Term {
  words: readonly string[];
  isPrefix: boolean;
  /** Another word that may occur instead. */
  address?: string;
}

/**
 * Ids of a window of the dumps whose output contains all terms, newest first, from the text index of each database; the
 * SQL differs between the two.
 */
export async function searchOutputs(
  { db, isShared }: Pick<Database, 'db' | 'isShared'>,
  terms: readonly Term[],
  window: PageWindow,
): Promise<number[]> {
  const ids = isShared
    ? await searchWords(db, terms.map(toTsquery).join(' & '), window)
    : await searchIndex(db, terms.map(toFts5).join(' AND '), window);
  return window.fromEnd === true ? ids.reverse() : ids;
}

/** In the order of the end that the window is read from. */
async function searchIndex(
  db: Db,
  query: string,
  { take, afterId = 0, beforeId = NO_ID, fromEnd }: PageWindow,
): Promise<number[]> {
  const rows = await db.$queryRaw<Array<{ id: number }>>`
    SELECT "rowid" AS "id" FROM "CoredumpSearch" WHERE "CoredumpSearch" MATCH ${query}
      AND "rowid" > ${afterId} AND "rowid" < ${beforeId}
      AND "rowid" NOT IN (SELECT "coredumpId" FROM "EarlierReading")
    ORDER BY "rowid" ${fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`} LIMIT ${take}`;
  return rows.map(({ id }) => Number(id));
}

/** Larger than every id. */
const NO_ID = 2 ** 31 - 1;

/** How many ids from the window's end are searched, step by step, until enough were found; in the last step all. */
const REACHES = [100, 10_000, 1_000_000, Number.POSITIVE_INFINITY];

/**
 * PostgreSQL's text index has no order. For the newest dumps with a word, PostgreSQL reads either every dump with the
 * word, or dump after dump, whose words it must split again, until enough match. The first takes too long for frequent
 * words, the second for rare words, and PostgreSQL cannot tell which is which. So the query is limited to the dumps at
 * the window's end first, and to more of them while too few were found. A query in WITH is not planned for the few rows
 * that are needed.
 */
async function searchWords(
  db: Db,
  query: string,
  { take, afterId = 0, beforeId = NO_ID, fromEnd = false }: PageWindow,
): Promise<number[]> {
  const [ends] = await db.$queryRaw<Array<{ oldest: number | null; newest: number | null }>>`
    SELECT min("coredumpId") AS "oldest", max("coredumpId") AS "newest" FROM "CoredumpText"`;
  const lowest = Math.max(afterId, (ends?.oldest ?? 1) - 1);
  const highest = Math.min(beforeId, (ends?.newest ?? 0) + 1);
  let found: number[] = [];
  for (const reach of REACHES) {
    const from = fromEnd ? lowest : Math.max(lowest, highest - 1 - reach);
    const to = fromEnd ? Math.min(highest, lowest + 1 + reach) : highest;
    const rows = await db.$queryRaw<Array<{ id: number }>>`
      WITH found AS MATERIALIZED (
        SELECT t."coredumpId" AS "id" FROM "CoredumpText" t
        WHERE to_tsvector('simple', regexp_replace(left(t."output", 200000), '[^[:alnum:]]+', ' ', 'g'))
          @@ to_tsquery('simple', ${query}) AND t."coredumpId" > ${from} AND t."coredumpId" < ${to}
      ) SELECT "id" FROM found WHERE "id" NOT IN (SELECT "coredumpId" FROM "EarlierReading")
      ORDER BY "id" ${fromEnd ? Prisma.sql`ASC` : Prisma.sql`DESC`} LIMIT ${take}`;
    found = rows.map(({ id }) => Number(id));
    if (found.length === take || (from === lowest && to === highest)) break;
  }
  return found;
}

function toTsquery({ words, isPrefix, address }: Term): string {
  return `(${words.join(' <-> ')}${isPrefix ? ':*' : ''}${address === undefined ? '' : ` | ${address}`})`;
}

function toFts5({ words, isPrefix, address }: Term): string {
  return `("${words.join(' ')}"${isPrefix ? '*' : ''}${address === undefined ? '' : ` OR "${address}"`})`;
}
