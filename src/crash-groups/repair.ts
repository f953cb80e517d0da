import { type CountUnread, lockDumps } from '../coredumps/unread.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db } from '../platform/database/types.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import { addCrashDays } from './crash-days.js';
import { moveRules } from './followers.js';
import { recountGroup } from './recount.js';

/** Groups or dumps per statement, so that each statement is short. */
const BATCH = 200;

export interface Repaired {
  emptyGroups: number;
  recountedGroups: number;
  rulesSwitchedOff: number;
  unreadDumps: number;
  crashDays: number;
}

/**
 * Repairs wrong counts of earlier versions: deletes groups without a fingerprint, sets counters of groups to the sums
 * of their signatures, switches off alert rules of deleted groups, counts dumps that were queued again before their
 * first parse, and adds the days of stored crashes. Each step changes only what is wrong, so the repair can stop and restart at any point.
 *
 * @param mayContinue called between batches
 * @returns null when it stopped early
 */
export async function repairCounters(
  { db, countUnread, now }: { db: Db; countUnread: CountUnread; now: () => Date },
  mayContinue: () => Promise<boolean>,
): Promise<Repaired | null> {
  const repaired = { emptyGroups: 0, recountedGroups: 0, rulesSwitchedOff: 0, unreadDumps: 0, crashDays: 0 };
  for (let afterId = 0; ; ) {
    if (!(await mayContinue())) return null;
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
        await inTransaction(db, (tx) => recountGroup(tx, id, now()));
        repaired.recountedGroups += 1;
      } else {
        const empty = { id, signatures: { none: {} } };
        const { count } = await inTransaction(db, (tx) => tx.crashGroup.deleteMany({ where: empty }));
        repaired.emptyGroups += count;
      }
    }
    afterId = last.id;
  }
  repaired.rulesSwitchedOff = await switchOffOrphanedRules(db);
  for (let afterId = 0; ; ) {
    if (!(await mayContinue())) return null;
    const dumps = await db.coredump.findMany({
      where: { parseStatus: 'PENDING', parseGeneration: { gt: 0 }, occurrence: null, id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take: BATCH,
      select: { id: true },
    });
    const last = dumps.at(-1);
    if (last === undefined) break;
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
  for (let afterId = 0; ; ) {
    if (!(await mayContinue())) return null;
    const counted = await db.crashOccurrence.findMany({
      where: { coredumpId: { gt: afterId } },
      orderBy: { coredumpId: 'asc' },
      take: BATCH,
      select: { coredumpId: true, modelId: true, coredump: { select: { deviceId: true, uploadedAt: true } } },
    });
    const last = counted.at(-1);
    if (last === undefined) return repaired;
    const crashes = wholeRows(counted, 'coredump').map(({ modelId, coredump: { deviceId, uploadedAt } }) => ({
      ...{ modelId, deviceId },
      at: uploadedAt,
    }));
    repaired.crashDays += await inTransaction(db, (tx) => addCrashDays(tx, crashes));
    afterId = last.coredumpId;
  }
}

/** Groups whose counters differ from those of their signatures. `afterId` is exclusive, `lastId` inclusive. */
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

/** Reads all rules at once, because their number is limited (`MAX_RULES`). */
async function switchOffOrphanedRules(db: Db): Promise<number> {
  const rules = await db.alertRule.findMany({
    where: { groupId: { not: null } },
    select: { groupId: true },
  });
  const wanted = [...new Set(rules.flatMap(({ groupId }) => groupId ?? []))];
  const existing = await db.crashGroup.findMany({ where: { id: { in: wanted } }, select: { id: true } });
  const orphaned = wanted.filter((id) => !existing.some((group) => group.id === id));
  return orphaned.length === 0 ? 0 : inTransaction(db, (tx) => moveRules(tx, orphaned, null));
}
