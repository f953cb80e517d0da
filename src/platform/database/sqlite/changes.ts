import type { LogDialect } from '../change-types.js';
import { Prisma } from '../client.js';

/** One writer at a time: the ids of changes are the order of their commits, and a position is an id. */
export const sqliteLog: LogDialect = {
  now: Prisma.sql`
    SELECT CAST(max(coalesce((SELECT max("id") FROM "Change"), 0), "prunedId") AS TEXT) AS "position" FROM "ChangeFeed"`,
  isPosition: (text) => /^(0|[1-9]\d{0,14})$/.test(text),
  within: (from, to) => Prisma.sql`c."id" > ${Number(from)} AND c."id" <= ${Number(to)}`,
  isAfter: (position, pruned) => Number(position) >= Number(pruned.id),
  isBeyond: (position, now) => Number(position) > Number(now),
  foreign: null,
};
