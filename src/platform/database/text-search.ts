import { Prisma } from './database.js';

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
