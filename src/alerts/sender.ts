import { reasonOf } from '../errors.js';
import { createLease } from '../platform/background/lease.js';
import { createWorker } from '../platform/background/worker.js';
import type { Prisma } from '../platform/database/client.js';
import type { Database } from '../platform/database/types.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import { DAY_MS } from '../platform/durations.js';
import { postToPublic } from '../platform/http/outbound-http.js';
import type { Logger } from '../platform/logger.js';
import { ALERT_FORMATS, alert, bodyOf, signature } from './formats.js';
import { hourOf } from './spikes.js';

export type AlertSender = ReturnType<typeof createAlertSender>;

/** About ten hours in total: pauses of 10 s, 20 s, … each shortened at random by up to half. */
const MAX_ATTEMPTS = 12;
const LONGEST_PAUSE_MS = 2 * 60 * 60 * 1000;
const TIMEOUT_MS = 10_000;
/** Lease of one attempt; longer than its time-out. */
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
  allowPrivate,
  pageUrl,
  retryDelayMs = 10_000,
  lookEveryMs = POLL_MS,
}: AlertSenderDeps) {
  const { db } = database;
  /** During an attempt `dueAt` is the end of its lease. When the server ends during it, others retry after that. */
  const lease = createLease({ now: database.now, lastsMs: LEASE_MS });
  return createWorker({ name: 'sending alerts', everyMs: lookEveryMs, look: sendAll, log });

  async function sendAll(stop: AbortSignal): Promise<void> {
    let due: Due[];
    do {
      const { at } = await lease.term();
      due = await db.alertDelivery.findMany({
        where: {
          status: 'PENDING',
          OR: [
            // Independent of the clock of the server that wrote it.
            { attempts: 0 },
            { dueAt: { lte: at } },
            // Later than the longest pause: it was written before a clock was set back.
            { dueAt: { gt: new Date(at.getTime() + LATEST_DUE_MS) } },
          ],
        },
        orderBy: { id: 'asc' },
        take: BATCH,
        include: { rule: true },
      });
      await Promise.all(wholeRows(due, 'rule').map(send));
    } while (due.length === BATCH && !stop.aborted);
    await db.alertDelivery.deleteMany({
      where: { status: { not: 'PENDING' }, createdAt: { lt: new Date(now().getTime() - LOG_RETENTION_MS) } },
    });
    const yesterday = new Date(now().getTime() - DAY_MS);
    await db.alertSpike.deleteMany({ where: { slot: { lt: hourOf(yesterday) } } });
  }

  async function send(delivery: Due): Promise<void> {
    const { id, attempts, dueAt } = delivery;
    const { until } = await lease.term();
    const { count } = await db.alertDelivery.updateMany({
      where: { id, status: 'PENDING', attempts, dueAt },
      data: { attempts: { increment: 1 }, dueAt: until },
    });
    if (count === 0) return;
    const outcome = await post(delivery);
    if ('httpStatus' in outcome && outcome.httpStatus >= 200 && outcome.httpStatus < 300) {
      await end({ status: 'DELIVERED', deliveredAt: now(), error: null, httpStatus: outcome.httpStatus });
      return;
    }
    const failure =
      'httpStatus' in outcome
        ? { httpStatus: outcome.httpStatus, error: `the target answered ${outcome.httpStatus}` }
        : { httpStatus: null, error: outcome.error };
    const isLast = attempts + 1 >= MAX_ATTEMPTS || delivery.event === 'TEST';
    const pauseMs = Math.min(retryDelayMs * 2 ** attempts, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
    await end({
      ...failure,
      ...(isLast ? { status: 'FAILED' } : { dueAt: (await lease.term(pauseMs)).until }),
    });
    log.warn({ alertDeliveryId: id, attempt: attempts + 1, ...failure }, 'an alert could not be delivered');

    async function end(data: Prisma.AlertDeliveryUpdateManyMutationInput): Promise<void> {
      await db.alertDelivery.updateMany({ where: { id }, data });
    }
  }

  async function post({ id, payload, rule }: Due): Promise<{ httpStatus: number } | { error: string }> {
    try {
      const format = ALERT_FORMATS.find((known) => known === rule.format) ?? 'GENERIC';
      const body = bodyOf(alert.parse(JSON.parse(payload)), format, pageUrl);
      const headers = {
        'Content-Type': 'application/json',
        'User-Agent': 'Coredock',
        // The same in every attempt, so that the receiver can detect duplicates.
        'Coredock-Delivery': String(id),
        'Coredock-Signature': signature(rule.secret, body, now()),
      };
      const httpStatus = await postToPublic(new URL(rule.url), {
        headers,
        body,
        timeoutMs: TIMEOUT_MS,
        allowPrivate,
      });
      return { httpStatus };
    } catch (error) {
      return { error: reasonOf(error).slice(0, 500) };
    }
  }
}

type Due = Prisma.AlertDeliveryGetPayload<{ include: { rule: true } }>;

interface AlertSenderDeps {
  database: Pick<Database, 'db' | 'now'>;
  now: () => Date;
  log: Logger;
  /** Also sends to targets in private networks. */
  allowPrivate: boolean;
  /** The beginning of links; null: alerts have none. */
  pageUrl: string | null;
  /** Pause before the second attempt. */
  retryDelayMs?: number;
  /** Poll interval for deliveries of other servers and repeated attempts; this server's new ones are sent at once. */
  lookEveryMs?: number;
}
