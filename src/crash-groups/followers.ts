import type { DbTransaction } from '../platform/database/types.js';

/** What refers to a group by its id without a foreign key, and moves with the group. Callers hold the group's lock. */

/**
 * Points the alert rules of some groups to another group. Without one (null) the rules are switched off: a rule without a
 * group would match all groups.
 *
 * @returns how many rules there were
 */
export async function sendRulesTo(
  tx: DbTransaction,
  fromIds: readonly number[],
  toId: number | null,
): Promise<number> {
  const { count } = await tx.alertRule.updateMany({
    where: { groupId: { in: [...fromIds] } },
    data: toId === null ? { groupId: null, enabled: false } : { groupId: toId },
  });
  return count;
}

/** Spikes of one group that were alerted already count as alerted for the other group as well. */
export async function shareSpikes(tx: DbTransaction, fromId: number, toId: number): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "AlertSpike" ("ruleId", "groupId", "slot")
    SELECT x."ruleId", g."id", x."slot" FROM "AlertSpike" x JOIN "CrashGroup" g ON g."id" = ${toId}
    WHERE x."groupId" = ${fromId}
    ON CONFLICT ("ruleId", "groupId", "slot") DO NOTHING`;
}
