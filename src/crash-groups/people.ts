import { ANYBODY } from '../auth/principal.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';

/** More names than that are not looked through: whoever is missing can be typed. */
const MAX_NAMES = 1_000;

/** Where names of people are. Each column has an index. */
const ASSIGNEES = { table: 'CrashGroup', column: 'assignee' };
const SPEAKERS = { table: 'GroupActivity', column: 'actor' };
const SIGNED_IN = { table: 'Session', column: 'actor' };
/** Devices and CI jobs act too; the newest event of each says what it is. */
const ACTORS = {
  table: 'AuditEvent',
  column: 'actor',
  isPerson: Prisma.sql`(SELECT a."via" FROM "AuditEvent" a WHERE a."actor" = names."name"
    ORDER BY a."id" DESC LIMIT 1) IN ('issuer', 'token')`,
};

export interface PeopleQuestion {
  /** All its words must occur. */
  search: string;
  take: number;
  /** Whoever asks. */
  self: string;
  isAdmin: boolean;
}

/**
 * People whom a group can be assigned to: whoever asks, then assignees, then whoever did or said something about a
 * group. For admins also whoever is signed in, or did anything else that the audit has.
 */
export async function listPeople(db: Db, { search, take, self, isAdmin }: PeopleQuestion): Promise<string[]> {
  const words = search.toLowerCase().split(/\s+/);
  const people = new Set([self]);
  for (const source of [ASSIGNEES, SPEAKERS, ...(isAdmin ? [SIGNED_IN, ACTORS] : [])]) {
    for (const name of await distinctNames(db, source)) people.add(name);
  }
  // Without authentication nobody has a name.
  people.delete(ANYBODY.name);
  return [...people]
    .filter((name) => words.every((word) => name.toLowerCase().includes(word)))
    .slice(0, take);
}

/** Goes from name to name in the index, so that the number of rows does not matter. */
async function distinctNames(
  db: Db,
  { table, column, isPerson = Prisma.sql`1 = 1` }: { table: string; column: string; isPerson?: Prisma.Sql },
): Promise<string[]> {
  const [from, value] = [Prisma.raw(`"${table}" x`), Prisma.raw(`x."${column}"`)];
  const rows = await db.$queryRaw<Array<{ name: string }>>`
    WITH RECURSIVE names("name", "number") AS (
      SELECT (SELECT min(${value}) FROM ${from}), 1
      UNION ALL
      SELECT (SELECT min(${value}) FROM ${from} WHERE ${value} > n."name"), n."number" + 1
      FROM names n WHERE n."name" IS NOT NULL AND n."number" < ${MAX_NAMES})
    SELECT "name" FROM names WHERE "name" IS NOT NULL AND ${isPerson}`;
  return rows.map(({ name }) => name);
}
