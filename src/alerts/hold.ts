import type { Prisma } from '../platform/database/client.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { DAY_MS, HOUR_MS } from '../platform/durations.js';
import { newDelivery } from './delivery.js';
import { digestOf } from './digest.js';
import { ALERT_EVENTS, alert } from './payload.js';
import { afterQuietHours, releaseOf } from './release.js';
import type { AlertDeliveryRow, AlertRuleRow } from './types.js';

/** A daily digest, moved by quiet hours of a day and the clocks. Later is a clock that was set back. */
const LATEST_RELEASE_MS = 2 * DAY_MS + 2 * HOUR_MS;
/** Payloads of one digest that are read; the others are counted. */
const MAX_READ = 1_000;

/**
 * Holds a delivery during quiet hours, also one whose earlier attempt failed before them.
 * @param at by the clock of the database
 * @returns whether it is held
 */
export async function holdInQuietHours(
  db: Db,
  { id, event, attempts, dueAt }: AlertDeliveryRow,
  rule: AlertRuleRow,
  at: Date,
): Promise<boolean> {
  const release = event === 'TEST' ? at : afterQuietHours(rule, at);
  if (release <= at) return false;
  await db.alertDelivery.updateMany({
    where: { id, status: 'PENDING', attempts, dueAt },
    data: { status: 'HELD', dueAt: release },
  });
  return true;
}

/**
 * Lets go what was held until now. Several alerts of a rule become one digest, in one transaction: two servers make one
 * of it, and a server that dies makes none, or all.
 */
export async function releaseHeld(db: Db, at: Date): Promise<void> {
  const due: Prisma.AlertDeliveryWhereInput = {
    status: 'HELD',
    OR: [{ dueAt: { lte: at } }, { dueAt: { gt: new Date(at.getTime() + LATEST_RELEASE_MS) } }],
  };
  const rules = await db.alertDelivery.findMany({
    where: due,
    distinct: ['ruleId'],
    select: { ruleId: true },
    orderBy: { ruleId: 'asc' },
  });
  for (const { ruleId } of rules) await inTransaction(db, (tx) => releaseOfRule(tx, ruleId, due, at));
}

async function releaseOfRule(
  tx: DbTransaction,
  ruleId: number,
  due: Prisma.AlertDeliveryWhereInput,
  at: Date,
): Promise<void> {
  // Its lock: two servers wait for each other here, and the second finds nothing held.
  const [rule] = await tx.alertRule.updateManyAndReturn({
    where: { id: ruleId },
    data: { spikeCount: { increment: 0 } },
  });
  if (rule === undefined) return;
  const released = await tx.alertDelivery.updateManyAndReturn({
    where: { AND: [{ ruleId }, due] },
    data: { status: 'DIGESTED' },
    select: { id: true, createdAt: true },
  });
  const [only, ...others] = released;
  if (only === undefined) return;
  if (others.length === 0) {
    // Alone it says more than a digest of one would.
    await tx.alertDelivery.updateMany({ where: { id: only.id }, data: { status: 'PENDING', dueAt: at } });
    return;
  }
  const ids = released.map(({ id }) => id).sort((a, b) => b - a);
  const newest = await tx.alertDelivery.findMany({
    where: { id: { in: ids.slice(0, MAX_READ) } },
    select: { payload: true },
    orderBy: { id: 'desc' },
  });
  const payloads = newest.flatMap(({ payload }) => {
    const read = alert.safeParse(JSON.parse(payload));
    return read.success ? [read.data] : [];
  });
  const unread = released.length - payloads.length;
  await tx.alertDelivery.create({ data: newDelivery(rule, digestOf(payloads, unread, at), at) });
}

/** Gives what is held its new time, after a change of the rule. */
export async function holdAnew(tx: DbTransaction, rule: AlertRuleRow, now: Date): Promise<void> {
  for (const event of ALERT_EVENTS) {
    const dueAt = releaseOf(rule, event, now);
    await tx.alertDelivery.updateMany({
      where: { ruleId: rule.id, status: 'HELD', event },
      data: { dueAt },
    });
  }
}
