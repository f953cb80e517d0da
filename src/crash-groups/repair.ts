import { type CountUnread, lockDumps } from '../coredumps/unread.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db } from '../platform/database/types.js';
import { sendRulesTo } from './followers.js';
import { recountGroup } from './recount.js';

/** Groups or dumps of one statement: some milliseconds of the database's time. */
const BATCH = 200;

export interface Repaired {
  ghostGroups: number;
  recountedGroups: number;
  rulesSwitchedOff: number;
  unreadDumps: number;
}

/**
 * Repairs what earlier versions counted wrong: groups without a fingerprint are deleted, counters of groups are set to the
 * sums of their signatures, alert rules for a deleted group are switched off, and dumps that were queued again before
 * their first parse are counted. Each step changes only what is wrong, so the repair may stop and start again anywhere.
 *
 * @param mayGoOn asked between batches
 * @returns null when it stopped early
 */
export async function repairCounters(
  { db, countUnread }: { db: Db; countUnread: CountUnread },
  mayGoOn: () => Promise<boolean>,
): Promise<Repaired | null> {
  const repaired = { ghostGroups: 0, recountedGroups: 0, rulesSwitchedOff: 0, unreadDumps: 0 };
  for (let afterId = 0; ; ) {
    if (!(await mayGoOn())) return null;
    const window = await db.crashGroup.findMany({
      where: { id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take: BATCH,
      select: { id: true },
    });
    const last = window.at(-1);
    if (last === undefined) break;
    for (const { id, signatures } of await wrongGroups(db, afterId, last.id)) {
      if (Number(signatures) > 0) {
        await inTransaction(db, (tx) => recountGroup(tx, id));
        repaired.recountedGroups += 1;
      } else {
        const ghost = { id, signatures: { none: {} } };
        const { count } = await inTransaction(db, (tx) => tx.crashGroup.deleteMany({ where: ghost }));
        repaired.ghostGroups += count;
      }
    }
    afterId = last.id;
  }
  repaired.rulesSwitchedOff = await switchOffLostRules(db);
  for (let afterId = 0; ; ) {
    if (!(await mayGoOn())) return null;
    const dumps = await db.coredump.findMany({
      where: { parseStatus: 'PENDING', parseGeneration: { gt: 0 }, occurrence: null, id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take: BATCH,
      select: { id: true },
    });
    const last = dumps.at(-1);
    if (last === undefined) return repaired;
    const ids = dumps.map(({ id }) => id);
    await inTransaction(db, async (tx) => {
      const locked = await lockDumps(tx, { id: { in: ids } });
      await countUnread(
        tx,
        locked.map(({ id }) => id),
      );
    });
    repaired.unreadDumps += ids.length;
    afterId = last.id;
  }
}

/** Groups whose own counters differ from those of their signatures. Both ids: the first exclusive, the second inclusive. */
async function wrongGroups(db: Db, afterId: number, lastId: number) {
  return db.$queryRaw<Array<{ id: number; signatures: number | bigint }>>`
    SELECT g."id", COALESCE(s."signatures", 0) AS "signatures" FROM "CrashGroup" g
    LEFT JOIN (
      SELECT "groupId", count(*) AS "signatures", sum("count") AS "count" FROM "CrashSignature"
      WHERE "groupId" > ${afterId} AND "groupId" <= ${lastId} GROUP BY "groupId") s ON s."groupId" = g."id"
    LEFT JOIN (
      SELECT y."groupId", count(DISTINCT x."deviceId") AS "count" FROM "CrashSignature" y
      JOIN "CrashDevice" x ON x."signatureId" = y."id"
      WHERE y."groupId" > ${afterId} AND y."groupId" <= ${lastId} GROUP BY y."groupId") d ON d."groupId" = g."id"
    WHERE g."id" > ${afterId} AND g."id" <= ${lastId}
      AND (s."groupId" IS NULL OR g."count" <> s."count" OR g."deviceCount" <> COALESCE(d."count", 0))
    ORDER BY g."id"`;
}

/** There are a hundred rules at most. */
async function switchOffLostRules(db: Db): Promise<number> {
  const rules = await db.alertRule.findMany({
    where: { groupId: { not: null } },
    select: { groupId: true },
  });
  const wanted = [...new Set(rules.flatMap(({ groupId }) => groupId ?? []))];
  const there = await db.crashGroup.findMany({ where: { id: { in: wanted } }, select: { id: true } });
  const lost = wanted.filter((id) => !there.some((group) => group.id === id));
  return lost.length === 0 ? 0 : inTransaction(db, (tx) => sendRulesTo(tx, lost, null));
}
