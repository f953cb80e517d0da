import type { DbTransaction } from '../platform/database/types.js';

/** Rows that refer to a group by id without a foreign key, and follow it in a merge. Callers hold the group's lock. */

/**
 * Points the alert rules of some groups to another group. With `toId` null the rules are switched off, because a rule
 * without a group would match all groups.
 *
 * @returns the number of these rules
 */
export async function moveRules(
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

/** Spikes that were alerted for one group count as alerted for the other group too. */
export async function copySpikes(tx: DbTransaction, fromId: number, toId: number): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "AlertSpike" ("ruleId", "groupId", "slot")
    SELECT x."ruleId", g."id", x."slot" FROM "AlertSpike" x JOIN "CrashGroup" g ON g."id" = ${toId}
    WHERE x."groupId" = ${fromId}
    ON CONFLICT ("ruleId", "groupId", "slot") DO NOTHING`;
}
