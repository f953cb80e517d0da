import { Prisma } from './client.js';

/** The condition of a filter's list. An empty list matches nothing; one that is left out does not filter. */
export function oneOf(
  column: Prisma.Sql,
  values: ReadonlyArray<string | number> | undefined,
): Prisma.Sql | null {
  if (values === undefined) return null;
  return values.length === 0 ? Prisma.sql`1 = 0` : Prisma.sql`${column} IN (${Prisma.join([...values])})`;
}
