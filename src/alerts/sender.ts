import { createLease } from '../platform/background/lease.js';
import { createWorker } from '../platform/background/worker.js';
import type { Prisma } from '../platform/database/client.js';
import type { Database } from '../platform/database/types.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';
import type { Deliver, Outcome } from './deliver.js';
import { holdInQuietHours, releaseHeld } from './hold.js';
import { hourOf } from './spikes.js';
import { forgetTold } from './told.js';

export type AlertSender = ReturnType<typeof createAlertSender>;

/** About ten hours in total: pauses of 10 s, 20 s, … each shortened at random by up to half. */
const MAX_ATTEMPTS = 12;
const LONGEST_PAUSE_MS = 2 * 60 * 60 * 1000;
/** Lease of one attempt; longer than its time-out, and than that of a mail. */
const LEASE_MS = 60_000;
const LATEST_DUE_MS = LONGEST_PAUSE_MS + LEASE_MS;
const POLL_MS = 5_000;
const BATCH = 20;
/** How long the log of deliveries is kept. */
const LOG_RETENTION_MS = 30 * DAY_MS;

/** Sends the deliveries of the outbox in the background. Failed attempts are repeated, also after a restart. */
export function createAlertSender({
  database,
  now,
  log,
  deliver,
  retryDelayMs = 10_000,
  lookEveryMs = POLL_MS,
}: AlertSenderDeps) {
  const { db } = database;
  /** During an attempt `dueAt` is the end of its lease. When the server ends during it, others retry after that. */
  const lease = createLease({ now: database.now, lastsMs: LEASE_MS });
  /** Rules whose target failed a moment ago, and until when nothing else is sent there, by the clock of the database. */
  const paused = new Map<number, Date>();
  return createWorker({ name: 'sending alerts', everyMs: lookEveryMs, look: sendAll, log });

  async function sendAll(stop: AbortSignal): Promise<void> {
    await releaseHeld(db, (await lease.term()).at);
    let due: Due[];
    do {
      due = await readDue((await lease.term()).at);
      await Promise.all(byRule(wholeRows(due, 'rule')).map(sendInOrder));
    } while (due.length === BATCH && !stop.aborted);
    await forget();
  }

  function readDue(at: Date): Promise<Due[]> {
    for (const [ruleId, until] of paused) if (until <= at) paused.delete(ruleId);
    return db.alertDelivery.findMany({
      where: {
        status: 'PENDING',
        AND: [
          {
            OR: [
              // Independent of the clock of the server that wrote it.
              { attempts: 0 },
              { dueAt: { lte: at } },
              // Later than the longest pause: it was written before a clock was set back.
              { dueAt: { gt: new Date(at.getTime() + LATEST_DUE_MS) } },
            ],
          },
          { OR: [{ ruleId: { notIn: [...paused.keys()] } }, { event: 'TEST' }] },
        ],
      },
      orderBy: { id: 'asc' },
      take: BATCH,
      include: { rule: true },
    });
  }

  /**
   * One after the other, since a target may take only one a second, and no more after a failure: what it asks for is a
   * pause.
   */
  async function sendInOrder(deliveries: readonly Due[]): Promise<void> {
    for (const delivery of deliveries) {
      if (paused.has(delivery.ruleId) && delivery.event !== 'TEST') continue;
      await send(delivery);
    }
  }

  async function send(delivery: Due): Promise<void> {
    const { id, attempts, dueAt, rule } = delivery;
    const { at, until } = await lease.term();
    if (await holdInQuietHours(db, delivery, rule, at)) return;
    const { count } = await db.alertDelivery.updateMany({
      where: { id, status: 'PENDING', attempts, dueAt },
      data: { attempts: { increment: 1 }, dueAt: until },
    });
    if (count === 0) return;
    const outcome = await deliver(delivery, rule);
    if (outcome.arrived) {
      const { httpStatus, note } = outcome;
      await end({ status: 'DELIVERED', deliveredAt: now(), error: note, httpStatus });
      return;
    }
    await fail(outcome);

    async function fail({ httpStatus, error, retryAfterMs }: Extract<Outcome, { arrived: false }>) {
      const isLast = attempts + 1 >= MAX_ATTEMPTS || delivery.event === 'TEST';
      const pauseMs = Math.min(retryDelayMs * 2 ** attempts, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
      const askedMs = Math.min(retryAfterMs ?? 0, LONGEST_PAUSE_MS);
      const retry = await lease.term(Math.max(pauseMs, askedMs));
      await end({ httpStatus, error, ...(isLast ? { status: 'FAILED' } : { dueAt: retry.until }) });
      log.warn(
        { alertDeliveryId: id, attempt: attempts + 1, httpStatus, error },
        'an alert could not be delivered',
      );
      paused.set(delivery.ruleId, (await lease.term(Math.max(retryDelayMs, askedMs))).until);
    }

    async function end(data: Prisma.AlertDeliveryUpdateManyMutationInput): Promise<void> {
      await db.alertDelivery.updateMany({ where: { id }, data });
    }
  }

  async function forget(): Promise<void> {
    const before = new Date(now().getTime() - LOG_RETENTION_MS);
    await db.alertDelivery.deleteMany({
      where: { status: { notIn: ['PENDING', 'HELD'] }, createdAt: { lt: before } },
    });
    const yesterday = new Date(now().getTime() - DAY_MS);
    await db.alertSpike.deleteMany({ where: { slot: { lt: hourOf(yesterday) } } });
    await forgetTold(db, before);
  }
}

type Due = Prisma.AlertDeliveryGetPayload<{ include: { rule: true } }>;

function byRule(deliveries: readonly Due[]): Due[][] {
  const groups = new Map<number, Due[]>();
  for (const delivery of deliveries) {
    const group = groups.get(delivery.ruleId);
    if (group === undefined) groups.set(delivery.ruleId, [delivery]);
    else group.push(delivery);
  }
  return [...groups.values()];
}

interface AlertSenderDeps {
  database: Pick<Database, 'db' | 'now'>;
  now: () => Date;
  log: Logger;
  deliver: Deliver;
  /** Pause before the second attempt. */
  retryDelayMs?: number;
  /** Poll interval for deliveries of other servers and repeated attempts; this server's new ones are sent at once. */
  lookEveryMs?: number;
}
