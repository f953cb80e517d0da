import type { DbTransaction } from '../platform/database/types.js';

/** What belongs to a group by its number alone, and goes where the group goes. The group is locked. */

/**
 * Whoever wanted to be told of the one wants to be told of the other. With none to go to a rule is switched off: it has
 * no group any more, and must not tell of all of them.
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

/** Whoever was told of a spike of the one is not told of it again by the other. */
export async function shareSpikes(tx: DbTransaction, fromId: number, toId: number): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "AlertSpike" ("ruleId", "groupId", "slot")
    SELECT x."ruleId", g."id", x."slot" FROM "AlertSpike" x JOIN "CrashGroup" g ON g."id" = ${toId}
    WHERE x."groupId" = ${fromId}
    ON CONFLICT ("ruleId", "groupId", "slot") DO NOTHING`;
}
