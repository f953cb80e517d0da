import { encodeGlobalId } from '../ids.js';
import type { DbTransaction, Prisma } from '../platform/database/database.js';
import { ALL, SLOT_MS } from '../triage/tallies.js';
import type { Crash, GroupChange } from '../triage/types.js';
import type { Alert, AlertEvent } from './formats.js';

/** Of crashes that were uploaded earlier nobody is told: a backlog that is read now is no news of now. */
const NEWS_MS = 2 * SLOT_MS.HOUR;

/**
 * Writes an alert for each rule that wants it, in the transaction that counts the crash: it is sent if that commits,
 * and never else.
 * @returns whether there is something to send
 */
export async function writeAlerts(
  tx: DbTransaction,
  change: GroupChange,
  { modelId, firmwareVersion, at }: Pick<Crash, 'modelId' | 'firmwareVersion' | 'at'>,
  now: Date,
): Promise<boolean> {
  if (now.getTime() - at.getTime() > NEWS_MS) return false;
  const rules = await tx.alertRule.findMany({
    where: {
      AND: [
        { enabled: true },
        { OR: [{ modelId: null }, { modelId }] },
        { OR: [{ groupId: null }, { groupId: change.groupId }] },
        {
          OR: [
            { spikeCount: { not: null } },
            ...(change.kind === 'new' ? [{ onNew: true }] : []),
            ...(change.kind === 'regression' ? [{ onRegression: true }] : []),
          ],
        },
      ],
    },
  });
  if (rules.length === 0) return false;
  const group = await tx.crashGroup.findUnique({ where: { id: change.groupId } });
  if (group === null || group.state === 'IGNORED') return false;

  const inHour = rules.some(({ spikeCount }) => spikeCount !== null)
    ? await crashesInHour(tx, group.id, at)
    : null;
  const deliveries = rules.flatMap((rule) => {
    const events: AlertEvent[] = [];
    if (change.kind === 'new' && rule.onNew) events.push('NEW');
    if (change.kind === 'regression' && rule.onRegression) events.push('REGRESSION');
    // The group is locked and its crashes come one by one, so this is true once an hour.
    if (rule.spikeCount !== null && rule.spikeCount === inHour) events.push('SPIKE');
    return events.map((event) => {
      const { title, reason, count, deviceCount } = group;
      const id = encodeGlobalId('CrashGroup', group.id);
      return aDelivery(
        rule.id,
        {
          event,
          at: now.toISOString(),
          group: { id, title, reason, count, deviceCount, firmwareVersion, crashesInHour: inHour },
        },
        now,
      );
    });
  });
  if (deliveries.length > 0) await tx.alertDelivery.createMany({ data: deliveries });
  return deliveries.length > 0;
}

export function aDelivery(ruleId: number, told: Alert, now: Date): Prisma.AlertDeliveryUncheckedCreateInput {
  return {
    ruleId,
    event: told.event,
    payload: JSON.stringify(told),
    status: 'PENDING',
    dueAt: now,
    createdAt: now,
  };
}

async function crashesInHour(tx: DbTransaction, groupId: number, at: Date): Promise<number> {
  const signatures = await tx.crashSignature.findMany({ where: { groupId }, select: { id: true } });
  const { _sum } = await tx.crashTally.aggregate({
    where: {
      signatureId: { in: signatures.map(({ id }) => id) },
      unit: 'HOUR',
      firmwareVersion: '',
      modelId: ALL,
      slot: Math.floor(at.getTime() / SLOT_MS.HOUR),
    },
    _sum: { count: true },
  });
  return _sum.count ?? 0;
}
