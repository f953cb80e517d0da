import { SLOT_MS } from '../crash-groups/crash-series.js';
import { type CrashGroupRow, type GroupChange, toGroupRow } from '../crash-groups/types.js';
import type { CrashReport } from '../crashdump/index.js';
import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import { newDelivery } from './delivery.js';
import { takeCrashLoops, takeNewVersions } from './firsts.js';
import { type Alert, type AlertCrash, type AlertEvent, bareAlert } from './payload.js';
import {
  crashesInHour,
  crashesInHourOf,
  hourOf,
  type Spike,
  takeSpikesOfGroup,
  takeSpikesOfRule,
} from './spikes.js';
import { crashOf, groupOf, newestCrashOf } from './subject.js';
import type { AlertRuleRow } from './types.js';

/** Older crashes cause no alert: a backlog may be parsed long after its upload. */
const MAX_CRASH_AGE_MS = 2 * SLOT_MS.HOUR;

/** A dump whose parse ends in this transaction. */
export interface CountedCrash {
  coredumpId: number;
  deviceId: number;
  modelId: number;
  /** The version that crashed. */
  firmwareVersion: string;
  at: Date;
  report: CrashReport | null;
  /** What the crash did to its group; null for a crash without a group, and one that was counted before. */
  change: GroupChange | null;
}

/**
 * Writes a delivery for each matching rule, in the transaction that counts the crash, so it is sent only if that
 * commits. Requires the lock of the group, if it has one.
 * @param maxCoredumps dumps that are kept of a device
 * @returns whether there is something to send
 */
export async function writeAlerts(
  tx: DbTransaction,
  crash: CountedCrash,
  now: Date,
  maxCoredumps: number,
): Promise<boolean> {
  if (now.getTime() - crash.at.getTime() > MAX_CRASH_AGE_MS) return false;
  const rules = await rulesFor(tx, crash);
  if (rules.length === 0) return false;
  const { change } = crash;
  const group = change === null ? null : await groupRow(tx, change.groupId);
  const news: News[] = [];
  // Ignored groups raise no alerts of their own; a new version and a crash loop are more than one group.
  const isReportable = group !== null && group.state !== 'IGNORED';
  for (const rule of isReportable ? rules : []) {
    if (change?.kind === 'new' && rule.onNew) news.push({ rule, event: 'NEW' });
    if (change?.kind === 'regression' && rule.onRegression) news.push({ rule, event: 'REGRESSION' });
    if (change?.kind === 'reopened' && rule.onRegression) news.push({ rule, event: 'REOPENED' });
  }
  const slot = hourOf(crash.at);
  const hasSpikes = rules.some(({ spikeCount }) => spikeCount !== null);
  const inHour = isReportable && hasSpikes ? await crashesInHour(tx, group.id, slot) : null;
  const spikes =
    inHour === null || !isReportable
      ? []
      : await takeSpikesOfGroup(tx, { groupId: group.id, slot, crashes: inHour }, rules);
  for (const rule of await takeNewVersions(tx, crash, rules)) news.push({ rule, event: 'NEW_IN_VERSION' });
  const loop = await takeCrashLoops(tx, crash, rules, maxCoredumps);
  for (const rule of loop.rules) news.push({ rule, event: 'CRASH_LOOP', loopCrashes: loop.crashes });
  if (news.length + spikes.length === 0) return false;

  const { coredumpId, firmwareVersion: version, report } = crash;
  const subject = { group, version, crash: await crashOf(tx, { coredumpId, version, report }), now };
  return write(tx, [
    ...news.map(({ rule, event, loopCrashes = null }) =>
      newDelivery(rule, { ...alertOf(event, subject, inHour), loopCrashes }, now),
    ),
    ...spikes.flatMap((spike) => ofSpike(spike, rules, subject)),
  ]);
}

interface News {
  rule: AlertRuleRow;
  event: AlertEvent;
  loopCrashes?: number;
}

/** Rules that may have an alert for this crash. */
function rulesFor(
  tx: DbTransaction,
  { modelId, change }: Pick<CountedCrash, 'modelId' | 'change'>,
): Promise<AlertRuleRow[]> {
  return tx.alertRule.findMany({
    where: {
      AND: [
        { enabled: true },
        { OR: [{ modelId: null }, { modelId }] },
        { OR: [{ groupId: null }, ...(change === null ? [] : [{ groupId: change.groupId }])] },
        {
          OR: [
            { onNewInVersion: true },
            { loopCrashes: { not: null } },
            ...(change === null ? [] : [{ spikeCount: { not: null } }]),
            ...(change?.kind === 'new' ? [{ onNew: true }] : []),
            ...(change?.kind === 'regression' || change?.kind === 'reopened' ? [{ onRegression: true }] : []),
          ],
        },
      ],
    },
  });
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
  return writeSpikes(tx, spikes, rules, now);
}

/** Writes this hour's spikes for a rule that was created, changed or switched on. */
export async function writeSpikesOfRule(tx: DbTransaction, rule: AlertRuleRow, now: Date): Promise<boolean> {
  if (!rule.enabled) return false;
  return writeSpikes(tx, await takeSpikesOfRule(tx, rule, hourOf(now)), [rule], now);
}

async function writeSpikes(
  tx: DbTransaction,
  spikes: readonly Spike[],
  rules: readonly AlertRuleRow[],
  now: Date,
): Promise<boolean> {
  const deliveries: Prisma.AlertDeliveryUncheckedCreateInput[] = [];
  const subjects = new Map<number, Subject | null>();
  for (const spike of spikes) {
    const { groupId } = spike;
    const known = subjects.get(groupId);
    const subject = known === undefined ? await subjectOfGroup(tx, groupId, now) : known;
    subjects.set(groupId, subject);
    if (subject !== null) deliveries.push(...ofSpike(spike, rules, subject));
  }
  return write(tx, deliveries);
}

/** @returns null for a group that was deleted or is ignored */
async function subjectOfGroup(tx: DbTransaction, groupId: number, now: Date): Promise<Subject | null> {
  const group = await groupRow(tx, groupId);
  const newest = await tx.crashVariant.findFirst({
    where: { signature: { groupId } },
    orderBy: { lastSeenAt: 'desc' },
    select: { firmwareVersion: true },
  });
  if (group === null || group.state === 'IGNORED' || newest === null) return null;
  const crash = await newestCrashOf(tx, groupId);
  return {
    group,
    version: newest.firmwareVersion,
    crash: crash === null ? null : await crashOf(tx, crash),
    now,
  };
}

async function groupRow(tx: DbTransaction, id: number): Promise<CrashGroupRow | null> {
  const group = await tx.crashGroup.findUnique({ where: { id } });
  return group === null ? null : toGroupRow(group);
}

/** What an alert is about, with the texts for it. */
interface Subject {
  group: CrashGroupRow | null;
  version: string;
  crash: AlertCrash | null;
  now: Date;
}

function ofSpike({ ruleId, crashesInHour: inHour }: Spike, rules: readonly AlertRuleRow[], subject: Subject) {
  return rules
    .filter(({ id }) => id === ruleId)
    .map((rule) => newDelivery(rule, alertOf('SPIKE', subject, inHour), subject.now));
}

function alertOf(event: AlertEvent, { group, version, crash, now }: Subject, inHour: number | null): Alert {
  return {
    ...bareAlert(event, now),
    group: group === null ? null : groupOf(group, version, inHour),
    crash,
  };
}

async function write(
  tx: DbTransaction,
  deliveries: Prisma.AlertDeliveryUncheckedCreateInput[],
): Promise<boolean> {
  if (deliveries.length > 0) await tx.alertDelivery.createMany({ data: deliveries });
  return deliveries.length > 0;
}
