import { ALL, SLOT_MS } from '../crash-groups/crash-series.js';
import { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';

/**
 * A spike is a group whose crashes within one clock hour reach a rule's number; a rule for one model counts that
 * model's crashes only. Each spike is reported once per rule, group and hour, whatever reached the number: a crash, a
 * merge, the end of the state "ignored", or a rule that was created or changed. Each reported spike is a row.
 */

/** The columns of a rule's row. */
export interface SpikeRule {
  id: number;
  spikeCount: number | null;
  modelId: number | null;
  groupId: number | null;
}

export interface Spike {
  ruleId: number;
  groupId: number;
  crashesInHour: number;
}

export function hourOf(at: Date): number {
  return Math.floor(at.getTime() / SLOT_MS.HOUR);
}

/**
 * Limit for spikes that a new rule reports at once, which prevents a flood; other groups follow with their next crash.
 */
const MAX_AT_ONCE = 50;

/**
 * @param crashes of the group in that hour, for all models
 * @returns the group's spikes in that hour that these rules have not reported yet; they are marked as reported
 */
export async function takeSpikesOfGroup(
  tx: DbTransaction,
  { groupId, slot, crashes }: { groupId: number; slot: number; crashes: number },
  rules: readonly SpikeRule[],
): Promise<Spike[]> {
  const reached: Spike[] = [];
  for (const { id: ruleId, spikeCount, modelId } of rules) {
    if (spikeCount === null || crashes < spikeCount) continue;
    const counted = modelId === null ? crashes : await crashesInHour(tx, groupId, slot, modelId);
    if (counted >= spikeCount) reached.push({ ruleId, groupId, crashesInHour: counted });
  }
  return take(tx, slot, reached);
}

/** The same for one rule and all groups that it matches. */
export async function takeSpikesOfRule(tx: DbTransaction, rule: SpikeRule, slot: number): Promise<Spike[]> {
  const { id: ruleId, spikeCount } = rule;
  if (spikeCount === null) return [];
  const reached = await tx.$queryRaw<Array<{ groupId: number; crashes: number | bigint }>>`
    SELECT g."id" AS "groupId", sum(t."count") AS "crashes" FROM "CrashTally" t
    JOIN "CrashSignature" s ON s."id" = t."signatureId" JOIN "CrashGroup" g ON g."id" = s."groupId"
    WHERE t."unit" = 'HOUR' AND t."slot" = ${slot} AND t."modelId" = ${rule.modelId ?? ALL}
      AND g."state" <> 'IGNORED' AND ${rule.groupId === null ? Prisma.sql`1 = 1` : Prisma.sql`g."id" = ${rule.groupId}`}
    GROUP BY g."id" HAVING sum(t."count") >= ${spikeCount}
    ORDER BY sum(t."count") DESC, g."id"`;
  const spikes = reached.map(({ groupId, crashes }) => ({ ruleId, groupId, crashesInHour: Number(crashes) }));
  // A spike reported at another threshold is kept: its group may reach the present one later.
  await tx.alertSpike.deleteMany({
    where: { ruleId, slot, groupId: { notIn: spikes.map(({ groupId }) => groupId) } },
  });
  return take(tx, slot, spikes.slice(0, MAX_AT_ONCE));
}

/** Inserts the spikes; existing rows were reported, also those that another server inserts at the same time. */
async function take(tx: DbTransaction, slot: number, spikes: readonly Spike[]): Promise<Spike[]> {
  if (spikes.length === 0) return [];
  const rows = [...spikes]
    .sort((a, b) => a.ruleId - b.ruleId || a.groupId - b.groupId)
    .map(({ ruleId, groupId }) => Prisma.sql`(${ruleId}, ${groupId}, ${slot})`);
  const taken = await tx.$queryRaw<Array<{ ruleId: number; groupId: number }>>`
    INSERT INTO "AlertSpike" ("ruleId", "groupId", "slot") VALUES ${Prisma.join(rows)}
    ON CONFLICT ("ruleId", "groupId", "slot") DO NOTHING RETURNING "ruleId", "groupId"`;
  return spikes.filter((spike) =>
    taken.some(({ ruleId, groupId }) => ruleId === spike.ruleId && groupId === spike.groupId),
  );
}

/** Crashes of all models, or of one. */
export async function crashesInHour(
  tx: DbTransaction,
  groupId: number,
  slot: number,
  modelId: number | null = null,
): Promise<number> {
  const signatures = await tx.crashSignature.findMany({ where: { groupId }, select: { id: true } });
  const { _sum } = await tx.crashTally.aggregate({
    where: {
      signatureId: { in: signatures.map(({ id }) => id) },
      unit: 'HOUR',
      slot,
      ...(modelId === null ? { firmwareVersion: '', modelId: ALL } : { modelId }),
    },
    _sum: { count: true },
  });
  return _sum.count ?? 0;
}

/** Groups with crashes in that hour, of all models; without the ignored ones. */
export async function crashesInHourOf(
  tx: DbTransaction,
  groupIds: readonly number[],
  slot: number,
): Promise<Array<{ groupId: number; crashes: number }>> {
  if (groupIds.length === 0) return [];
  const rows = await tx.$queryRaw<Array<{ groupId: number; crashes: number | bigint }>>`
    SELECT g."id" AS "groupId", sum(t."count") AS "crashes" FROM "CrashGroup" g
    JOIN "CrashSignature" s ON s."groupId" = g."id" JOIN "CrashTally" t ON t."signatureId" = s."id"
    WHERE g."id" IN (${Prisma.join([...groupIds])}) AND g."state" <> 'IGNORED'
      AND t."unit" = 'HOUR' AND t."slot" = ${slot} AND t."firmwareVersion" = '' AND t."modelId" = ${ALL}
    GROUP BY g."id"`;
  return rows.map(({ groupId, crashes }) => ({ groupId: Number(groupId), crashes: Number(crashes) }));
}
