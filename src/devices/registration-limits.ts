import type { IngestKeyIdentity } from '../auth/principal.js';
import { DomainError } from '../errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import { HOUR_MS } from '../platform/durations.js';

/*
 * How many devices may an ingest key register? `newDevicesPerHour` in each hour, and with `requiresApproval` as many as
 * MAX_PENDING_DEVICES that wait. The counts are in the database, in the row of the key, so the limits hold over all
 * servers.
 */

/** The row of the key, which the transaction has locked. */
export type LockedKey = Omit<IngestKeyIdentity, 'modelCode'> & { requiresApproval: boolean };

/** How many more may be registered, which limit says so, and the error for one more. */
interface Room {
  count: number;
  limit: 'over_rate' | 'too_many_pending';
  error(): DomainError;
}

/** @param ingestKey null while authentication is off: then there is no limit */
export async function roomFor(
  tx: DbTransaction,
  ingestKey: LockedKey | null,
  { maxPendingDevices, now }: { maxPendingDevices: number; now: Date },
): Promise<Room> {
  if (ingestKey === null) return UNLIMITED;
  const hour = hourOf(ingestKey, now);
  const inHour = Math.max(0, ingestKey.newDevicesPerHour - hour.count);
  const rate: Room = { count: inHour, limit: 'over_rate', error: () => overRate(ingestKey, hour, now) };
  if (!ingestKey.requiresApproval) return rate;
  const where = { ingestKeyId: ingestKey.id, approval: 'PENDING' };
  const inQueue = Math.max(0, maxPendingDevices - (await tx.device.count({ where })));
  if (inHour <= inQueue) return rate;
  return { count: inQueue, limit: 'too_many_pending', error: () => tooManyPending(maxPendingDevices) };
}

const UNLIMITED: Room = {
  count: Number.POSITIVE_INFINITY,
  limit: 'over_rate',
  error() {
    throw new Error('nothing limits new devices while authentication is off');
  },
};

/** The hour in which an ingest key's new devices are counted. */
interface Hour {
  startedAt: Date;
  /** Devices that were registered in it. */
  count: number;
}

type HourColumns = Pick<IngestKeyIdentity, 'hourStartedAt' | 'newDevicesInHour'>;

/** The hour that runs now. Clocks of servers differ, so one that begins in the future runs too. */
export function hourOf({ hourStartedAt, newDevicesInHour }: HourColumns, now: Date): Hour {
  const isRunning = hourStartedAt !== null && Math.abs(now.getTime() - hourStartedAt.getTime()) < HOUR_MS;
  return isRunning ? { startedAt: hourStartedAt, count: newDevicesInHour } : { startedAt: now, count: 0 };
}

export async function countNew(
  tx: DbTransaction,
  ingestKey: LockedKey,
  count: number,
  now: Date,
): Promise<void> {
  const hour = hourOf(ingestKey, now);
  await tx.ingestKey.updateMany({
    where: { id: ingestKey.id },
    data: { hourStartedAt: hour.startedAt, newDevicesInHour: hour.count + count },
  });
}

export function overRate(
  { newDevicesPerHour }: Pick<IngestKeyIdentity, 'newDevicesPerHour'>,
  { startedAt }: Hour,
  now: Date,
): DomainError {
  const waitMs = startedAt.getTime() + HOUR_MS - now.getTime();
  return new DomainError(
    'RATE_LIMITED',
    `This ingest key has registered ${newDevicesPerHour} new devices within an hour, which is its limit ` +
      '(newDevicesPerHour): keep the crash and try again later. Devices that are registered already are not affected.',
    { retryAfterSeconds: Math.min(Math.max(1, Math.ceil(waitMs / 1000)), HOUR_MS / 1000) },
  );
}

function tooManyPending(max: number): DomainError {
  return new DomainError(
    'RATE_LIMITED',
    `${max} devices of this ingest key wait for approval, which is the limit (MAX_PENDING_DEVICES): keep the crash and ` +
      'try again when an admin has approved or rejected some of them.',
    { retryAfterSeconds: HOUR_MS / 1000 },
  );
}
