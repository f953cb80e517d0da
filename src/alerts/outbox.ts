import { SLOT_MS } from '../crash-groups/crash-series.js';
import { type Crash, type CrashGroupRow, type GroupChange, toGroupRow } from '../crash-groups/types.js';
import { encodeGlobalId } from '../global-ids.js';
import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import type { Alert, AlertEvent } from './formats.js';
import {
  crashesInHour,
  crashesInHourOf,
  hourOf,
  type Spike,
  type SpikeRule,
  takeSpikesOfGroup,
  takeSpikesOfRule,
} from './spikes.js';

/** Older crashes cause no alert: a backlog may be parsed long after its upload. */
const MAX_CRASH_AGE_MS = 2 * SLOT_MS.HOUR;

/**
 * Writes a delivery for each matching rule, in the transaction that counts the crash, so it is sent only if that
 * commits. Requires the group's lock.
 * @returns whether there is something to send
 */
export async function writeAlerts(
  tx: DbTransaction,
  change: GroupChange,
  { modelId, firmwareVersion, at }: Pick<Crash, 'modelId' | 'firmwareVersion' | 'at'>,
  now: Date,
): Promise<boolean> {
  if (now.getTime() - at.getTime() > MAX_CRASH_AGE_MS) return false;
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
  const group = await reportableGroup(tx, change.groupId);
  if (group === null) return false;

  const slot = hourOf(at);
  const hasSpikes = rules.some(({ spikeCount }) => spikeCount !== null);
  const inHour = hasSpikes ? await crashesInHour(tx, group.id, slot) : null;
  const subject = { group, firmwareVersion, now };
  const deliveries = rules.flatMap((rule) => {
    const events: AlertEvent[] = [];
    if (change.kind === 'new' && rule.onNew) events.push('NEW');
    if (change.kind === 'regression' && rule.onRegression) events.push('REGRESSION');
    return events.map((event) => ofGroup(rule.id, event, subject, inHour));
  });
  const spikes =
    inHour === null ? [] : await takeSpikesOfGroup(tx, { groupId: group.id, slot, crashes: inHour }, rules);
  return write(tx, [...deliveries, ...spikes.map((spike) => ofSpike(spike, subject))]);
}

/**
 * Writes the spikes of this hour after a change that is not a crash: a merge, or the end of the state "ignored".
 */
export async function writeSpikesOfGroups(
  tx: DbTransaction,
  groupIds: readonly number[],
  now: Date,
): Promise<boolean> {
  const of = { in: [...groupIds] };
  const rules = await tx.alertRule.findMany({
    where: { enabled: true, spikeCount: { not: null }, OR: [{ groupId: null }, { groupId: of }] },
  });
  if (rules.length === 0) return false;
  const slot = hourOf(now);
  const spikes: Spike[] = [];
  for (const { groupId, crashes } of await crashesInHourOf(tx, groupIds, slot)) {
    const matching = rules.filter((rule) => rule.groupId === null || rule.groupId === groupId);
    spikes.push(...(await takeSpikesOfGroup(tx, { groupId, slot, crashes }, matching)));
  }
  return writeSpikes(tx, spikes, now);
}

/** Writes this hour's spikes for a rule that was created, changed or switched on. */
export async function writeSpikesOfRule(
  tx: DbTransaction,
  rule: SpikeRule & { enabled: boolean },
  now: Date,
): Promise<boolean> {
  if (!rule.enabled) return false;
  return writeSpikes(tx, await takeSpikesOfRule(tx, rule, hourOf(now)), now);
}

export function newDelivery(
  ruleId: number,
  payload: Alert,
  now: Date,
): Prisma.AlertDeliveryUncheckedCreateInput {
  return {
    ruleId,
    event: payload.event,
    payload: JSON.stringify(payload),
    status: 'PENDING',
    dueAt: now,
    createdAt: now,
  };
}

async function writeSpikes(tx: DbTransaction, spikes: readonly Spike[], now: Date): Promise<boolean> {
  const deliveries: Prisma.AlertDeliveryUncheckedCreateInput[] = [];
  for (const spike of spikes) {
    const group = await reportableGroup(tx, spike.groupId);
    const newest = await tx.crashVariant.findFirst({
      where: { signature: { groupId: spike.groupId } },
      orderBy: { lastSeenAt: 'desc' },
      select: { firmwareVersion: true },
    });
    if (group === null || newest === null) continue;
    deliveries.push(ofSpike(spike, { group, firmwareVersion: newest.firmwareVersion, now }));
  }
  return write(tx, deliveries);
}

/** @returns null for a group that was deleted or is ignored */
async function reportableGroup(tx: DbTransaction, id: number): Promise<CrashGroupRow | null> {
  const group = await tx.crashGroup.findUnique({ where: { id } });
  return group === null || group.state === 'IGNORED' ? null : toGroupRow(group);
}

/** The group of an alert, with the texts for it. */
interface Subject {
  group: CrashGroupRow;
  firmwareVersion: string;
  now: Date;
}

function ofSpike({ ruleId, crashesInHour: inHour }: Spike, subject: Subject) {
  return ofGroup(ruleId, 'SPIKE', subject, inHour);
}

function ofGroup(
  ruleId: number,
  event: AlertEvent,
  { group, firmwareVersion, now }: Subject,
  inHour: number | null,
) {
  const { title, reason, count, deviceCount } = group;
  const id = encodeGlobalId('CrashGroup', group.id);
  const payload = { id, title, reason, count, deviceCount, firmwareVersion, crashesInHour: inHour };
  return newDelivery(ruleId, { event, at: now.toISOString(), group: payload }, now);
}

async function write(
  tx: DbTransaction,
  deliveries: Prisma.AlertDeliveryUncheckedCreateInput[],
): Promise<boolean> {
  if (deliveries.length > 0) await tx.alertDelivery.createMany({ data: deliveries });
  return deliveries.length > 0;
}
