import { notFound } from '../errors.js';
import { createBatcher } from '../platform/batcher.js';
import { type Db, type DbTransaction, Prisma } from '../platform/database/database.js';
import { asDomainError } from '../platform/database/errors.js';
import { inTransaction } from '../platform/database/transaction.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import type { CoredumpRow } from './types.js';

/** The same bytes of the same device within this time are the same dump, sent again because the answer was lost. */
const RETRY_WINDOW_MS = 10 * 60 * 1000;

/** Uploads committed together at most; beyond some dozens the shared fsync is a small part of each. */
const MAX_GROUP = 64;

/** A dump whose bytes are durable under `filename` and which has no row yet. */
export interface Arrival {
  deviceId: number;
  deviceKey: string;
  filename: string;
  chip: string;
  firmwareVersion: string;
  size: number;
  sha256: string;
  idempotencyKey: string | null;
  uploadedAt: Date;
}

/**
 * `retired`: dumps of the device that had to go, row already deleted, file not yet. `isKept` is false when the dump
 * itself is among the retired: more than the limit came at once.
 */
export type CommitOutcome =
  | { status: 'stored'; coredump: CoredumpRow; isKept: boolean; retired: RetiredDump[] }
  | { status: 'duplicate'; coredump: CoredumpRow };

export interface RetiredDump {
  id: number;
  filename: string;
}

/**
 * Gives arrivals their rows, grouped so that SQLite's fsync is shared: per group one transaction of at most six
 * statements, whatever its size. In it
 * - a repeated upload (idempotency key, or same bytes within ten minutes) is answered with the first one's row,
 * - every device keeps its `maxCoredumps` newest rows.
 */
export function createCommitter({ db, maxCoredumps }: { db: Db; maxCoredumps: number }) {
  return createBatcher<Arrival, CommitOutcome | { status: 'failed'; error: unknown }>({
    maxItems: MAX_GROUP,
    run: async (arrivals) => {
      try {
        return await inTransaction(db, (tx) => commitGroup(tx, arrivals, maxCoredumps));
      } catch (error) {
        throw asDomainError(error);
      }
    },
  });
}

async function commitGroup(tx: DbTransaction, arrivals: readonly Arrival[], maxCoredumps: number) {
  const known = await lockDevices(tx, arrivals);
  const earlier = await findEarlier(tx, arrivals);
  const fresh: Arrival[] = [];
  /** For each arrival: its own row to come (index into fresh), an earlier row, or no device any more. */
  const plans = arrivals.map((arrival) => {
    if (!known.has(arrival.deviceId)) return { gone: arrival.deviceKey };
    const stored = earlier.find((row) => isSameDump(row, arrival));
    if (stored !== undefined) return { stored };
    const twin = fresh.findIndex((other) => isSameDump(other, arrival));
    if (twin >= 0) return { twin };
    return { own: fresh.push(arrival) - 1 };
  });
  const rows = await insert(tx, fresh);
  const retired = fresh.length > 0 ? await retire(tx, fresh, maxCoredumps) : [];

  return plans.map((plan) => {
    if (plan.gone !== undefined) return { status: 'failed' as const, error: notFound('device', plan.gone) };
    if (plan.stored !== undefined)
      return { status: 'duplicate' as const, coredump: toCoredumpRow(plan.stored) };
    const index = plan.own ?? plan.twin;
    const coredump = rows[index];
    if (coredump === undefined) throw new Error('the database answered fewer rows than were inserted');
    if (plan.own === undefined) return { status: 'duplicate' as const, coredump };
    // A group's retired dumps are told once, to the first upload of their device.
    const isFirst = fresh.findIndex(({ deviceId }) => deviceId === coredump.deviceId) === plan.own;
    const ofDevice = isFirst ? retired.filter(({ deviceId }) => deviceId === coredump.deviceId) : [];
    const isKept = !retired.some(({ id }) => id === coredump.id);
    return { status: 'stored' as const, coredump, isKept, retired: ofDevice };
  });
}

/** First statement of the transaction: a write, so that from here on nobody else changes these devices' dumps. */
async function lockDevices(tx: DbTransaction, arrivals: readonly Arrival[]): Promise<Set<number>> {
  const ids = [...new Set(arrivals.map(({ deviceId }) => deviceId))];
  const lastUploadAt = arrivals.at(-1)?.uploadedAt ?? null;
  const { count } = await tx.device.updateMany({ where: { id: { in: ids } }, data: { lastUploadAt } });
  if (count === ids.length) return new Set(ids);
  const left = await tx.device.findMany({ where: { id: { in: ids } }, select: { id: true } });
  return new Set(left.map(({ id }) => id));
}

const EARLIER = { ...COREDUMP_ROW, idempotencyKey: true } as const;
type Earlier = Prisma.CoredumpGetPayload<{ select: typeof EARLIER }>;

async function findEarlier(tx: DbTransaction, arrivals: readonly Arrival[]): Promise<Earlier[]> {
  const oldest = Math.min(...arrivals.map(({ uploadedAt }) => uploadedAt.getTime()));
  return tx.coredump.findMany({
    where: {
      deviceId: { in: arrivals.map(({ deviceId }) => deviceId) },
      OR: [
        {
          sha256: { in: arrivals.map(({ sha256 }) => sha256) },
          uploadedAt: { gte: new Date(oldest - RETRY_WINDOW_MS) },
        },
        { idempotencyKey: { in: arrivals.flatMap(({ idempotencyKey }) => idempotencyKey ?? []) } },
      ],
    },
    select: EARLIER,
  });
}

type Comparable = Pick<Arrival, 'deviceId' | 'sha256' | 'idempotencyKey' | 'uploadedAt'>;

/** Two different keys say that these are two crashes, even if the bytes are alike. */
function isSameDump(earlier: Comparable, arrival: Comparable): boolean {
  if (earlier.deviceId !== arrival.deviceId) return false;
  if (earlier.idempotencyKey !== null && arrival.idempotencyKey !== null) {
    return earlier.idempotencyKey === arrival.idempotencyKey;
  }
  return (
    earlier.sha256 === arrival.sha256 &&
    arrival.uploadedAt.getTime() - earlier.uploadedAt.getTime() <= RETRY_WINDOW_MS
  );
}

async function insert(tx: DbTransaction, fresh: readonly Arrival[]): Promise<CoredumpRow[]> {
  if (fresh.length === 0) return [];
  const rows = await tx.coredump.createManyAndReturn({
    data: fresh.map(({ deviceKey, ...columns }) => ({ ...columns, parseStatus: 'PENDING' })),
    select: COREDUMP_ROW,
  });
  // The order of RETURNING is not promised; file names are unique within a device.
  const byName = new Map(rows.map((row) => [`${row.deviceId}/${row.filename}`, row]));
  return fresh.flatMap(({ deviceId, filename }) => {
    const row = byName.get(`${deviceId}/${filename}`);
    return row === undefined ? [] : [toCoredumpRow(row)];
  });
}

/** Deletes what is older than the newest `maxCoredumps` of each device. Ids decide, so equal times are no question. */
async function retire(
  tx: DbTransaction,
  fresh: readonly Arrival[],
  maxCoredumps: number,
): Promise<Array<RetiredDump & { deviceId: number }>> {
  const deviceIds = [...new Set(fresh.map(({ deviceId }) => deviceId))];
  const surplus = await tx.$queryRaw<Array<{ id: number; deviceId: number; filename: string }>>`
    SELECT "id", "deviceId", "filename" FROM (
      SELECT "id", "deviceId", "filename",
             row_number() OVER (PARTITION BY "deviceId" ORDER BY "id" DESC) AS "rank"
      FROM "Coredump" WHERE "deviceId" IN (${Prisma.join(deviceIds)})
    ) AS "ranked" WHERE "rank" > ${maxCoredumps}`;
  if (surplus.length > 0) {
    await tx.coredump.deleteMany({ where: { id: { in: surplus.map(({ id }) => id) } } });
  }
  return surplus;
}
