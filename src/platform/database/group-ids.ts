import { Prisma } from './client.js';

/**
 * A condition on a column with the id of a crash group. Ids of groups that were merged stand for the groups that took
 * them in. An empty list matches nothing.
 */
export function ofGroups(groupId: Prisma.Sql, ids: readonly number[]): Prisma.Sql {
  if (ids.length === 0) return Prisma.sql`1 = 0`;
  const given = Prisma.join(ids.map((id) => Prisma.sql`(CAST(${id} AS INTEGER))`));
  return Prisma.sql`${groupId} IN (
    SELECT coalesce(m."intoId", v."column1") FROM (VALUES ${given}) v
    LEFT JOIN "MergedGroup" m ON m."id" = v."column1")`;
}
