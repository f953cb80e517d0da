import type { LogDialect } from '../change-types.js';
import { Prisma } from '../client.js';

/**
 * Ids are not in the order of commits: a transaction that began earlier may commit later. So a position is a snapshot
 * (`pg_current_snapshot`, "xmin:xmax:running,…"), which says of every transaction whether it was committed before. What
 * came since is what the snapshot does not see: nothing is missed, and nothing comes twice. `xmin`, below which all
 * transactions had ended, limits how many rows are looked at; it is the horizon of `announcements.ts`.
 */
export const postgresqlLog: LogDialect = {
  now: Prisma.sql`SELECT pg_current_snapshot()::text AS "position"`,
  isPosition: (text) => snapshotOf(text) !== null,
  within: (from, to) => Prisma.sql`c."tx" + 0 >= ${String(snapshotOf(from)?.xmin ?? 0n)}::bigint
    AND NOT pg_visible_in_snapshot(c."tx"::text::xid8, ${from}::pg_snapshot)
    AND pg_visible_in_snapshot(c."tx"::text::xid8, ${to}::pg_snapshot)`,
  isAfter: (position, pruned) => (snapshotOf(position)?.xmin ?? 0n) > BigInt(pruned.tx),
  isBeyond: (position, now) => (snapshotOf(position)?.xmax ?? 0n) > (snapshotOf(now)?.xmax ?? 0n),
  // A copy of a database in another cluster has transactions that are still to come here.
  foreign: Prisma.sql`c."tx" + 0 >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint`,
};

const SNAPSHOT = /^(\d{1,19}):(\d{1,19}):((?:\d{1,19},)*\d{1,19})?$/;

/** @returns null for what PostgreSQL would not read as a snapshot */
function snapshotOf(text: string): { xmin: bigint; xmax: bigint } | null {
  const [, first, last, list] = SNAPSHOT.exec(text) ?? [];
  if (first === undefined || last === undefined) return null;
  const [xmin, xmax] = [BigInt(first), BigInt(last)];
  const running = list === undefined ? [] : list.split(',').map(BigInt);
  const isOrdered = running.every((xid, at) => xid >= xmin && xid < xmax && xid > (running[at - 1] ?? -1n));
  return xmin > 0n && xmin <= xmax && isOrdered ? { xmin, xmax } : null;
}
