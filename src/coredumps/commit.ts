import { notFound } from '../errors.js';
import { createBoundedTransactions } from '../platform/database/bounded-transactions.js';
import { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { outOfTime } from '../platform/deadline.js';
import { createBatcher, Unclear } from '../platform/queue/batcher.js';
import { COLUMNS, type StoredRow } from './read.js';
import { type DumpBeyondMaximum, type RetiredDump, retireOldest } from './retention.js';
import { toCoredumpRow } from './row.js';
import type { CoredumpRow } from './types.js';
import type { CountRetired } from './unread.js';

/** The same bytes of the same device within this time are the same dump, sent again because the answer was lost. */
export const RETRY_WINDOW_MS = 10 * 60 * 1000;

/** Uploads committed together at most; beyond some dozens the shared fsync is a small part of each. */
const MAX_GROUP = 64;
/** What a group waits for others while uploads come in crowds; a fraction of what one of a crowd takes anyway. */
const GATHER_MS = 4;

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

/** Runs inside the transaction that stores them: what it writes there is committed with them or not at all. */
type Enqueue = (tx: DbTransaction, stored: readonly CoredumpRow[]) => Promise<void>;

/**
 * Gives arrivals their rows, grouped so that their statements and SQLite's fsync are shared: per group one transaction
 * of four statements, whatever its size. In it
 * - a duplicate (same idempotency key, or same bytes within ten minutes) is answered with the first one's row,
 * - every device keeps its `maxCoredumps` newest rows; a crash whose dump goes before it was read is counted, which is
 *   a fifth and sixth statement where that happens.
 *
 * Plain SQL for both databases: it runs with every upload, and Prisma's way of saying the same takes several times the
 * processor time of the whole upload.
 */
export function createCommitter({ db, maxCoredumps, countRetired, enqueue = async () => {} }: CommitterDeps) {
  const inTransaction = createBoundedTransactions(db);
  return createBatcher<Arrival, CommitOutcome | { status: 'failed'; error: unknown }>({
    maxItems: MAX_GROUP,
    gatherMs: GATHER_MS,
    late: () => ({ status: 'failed', error: outOfTime() }),
    async run(arrivals, signal) {
      const ended = await inTransaction(signal, (tx) =>
        commitGroup(tx, arrivals, { maxCoredumps, countRetired, enqueue }),
      ).catch((error: unknown) => {
        throw error === signal.reason ? error : new Unclear(error);
      });
      if (ended.status === 'done') return ended.result;
      if (arrivals.length > 1) throw ended.error;
      return [{ status: 'failed' as const, error: ended.error }];
    },
  });
}

interface CommitterDeps {
  db: Db;
  maxCoredumps: number;
  /** In the transaction that deletes them. */
  countRetired: CountRetired;
  /** For a queue that lives in the database. */
  enqueue?: Enqueue | undefined;
}

async function commitGroup(
  tx: DbTransaction,
  arrivals: readonly Arrival[],
  {
    maxCoredumps,
    countRetired,
    enqueue,
  }: { maxCoredumps: number; countRetired: CountRetired; enqueue: Enqueue },
) {
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
  const retired = fresh.length === 0 ? [] : await retireOldest(tx, deviceIdsOf(fresh), maxCoredumps);
  const unread = retired.filter(wasNeverRead).flatMap(({ uploadedAt: at, ...dump }) => {
    const modelId = known.get(dump.deviceId);
    return modelId === undefined ? [] : [{ ...dump, modelId, at }];
  });
  if (unread.length > 0) await countRetired(tx, unread);
  const isKept = (row: CoredumpRow) => !retired.some(({ id }) => id === row.id);
  const kept = rows.filter(isKept);
  if (kept.length > 0) await enqueue(tx, kept);

  return plans.map((plan) => {
    if (plan.gone !== undefined) return { status: 'failed' as const, error: notFound('device', plan.gone) };
    if (plan.stored !== undefined)
      return { status: 'duplicate' as const, coredump: toCoredumpRow(plan.stored) };
    const index = plan.own ?? plan.twin;
    const coredump = rows[index];
    if (coredump === undefined) throw new Error('the database answered fewer rows than were inserted');
    if (plan.own === undefined) return { status: 'duplicate' as const, coredump };
    // The retired dumps of a device are reported once, with the first upload of the device in this group.
    const isFirst = fresh.findIndex(({ deviceId }) => deviceId === coredump.deviceId) === plan.own;
    const ofDevice = isFirst ? retired.filter(({ deviceId }) => deviceId === coredump.deviceId) : [];
    return { status: 'stored' as const, coredump, isKept: isKept(coredump), retired: ofDevice };
  });
}

/**
 * First statement of the transaction: a write, so that from here on nobody else changes these devices' dumps.
 * @returns the models of those that are there, by the devices' ids
 */
async function lockDevices(tx: DbTransaction, arrivals: readonly Arrival[]): Promise<Map<number, number>> {
  const lastUploadAt = arrivals.at(-1)?.uploadedAt ?? null;
  const locked = await tx.$queryRaw<Array<{ id: number; modelId: number }>>`
    UPDATE "Device" SET "lastUploadAt" = ${lastUploadAt} WHERE "id" IN (${Prisma.join(deviceIdsOf(arrivals))})
    RETURNING "id", "modelId"`;
  return new Map(locked.map(({ id, modelId }) => [id, modelId]));
}

type Earlier = StoredRow & { idempotencyKey: string | null };

/** One condition an index can answer for each arrival; whether it is the same dump says `isSameDump`. */
async function findEarlier(tx: DbTransaction, arrivals: readonly Arrival[]): Promise<Earlier[]> {
  const candidates = arrivals.flatMap(({ deviceId, sha256, idempotencyKey }) => [
    Prisma.sql`(c."deviceId" = ${deviceId} AND c."sha256" = ${sha256})`,
    ...(idempotencyKey === null
      ? []
      : [Prisma.sql`(c."deviceId" = ${deviceId} AND c."idempotencyKey" = ${idempotencyKey})`]),
  ]);
  return tx.$queryRaw<Earlier[]>`
    SELECT ${COLUMNS}, c."idempotencyKey" FROM "Coredump" c WHERE ${Prisma.join(candidates, ' OR ')}`;
}

export type Comparable = Pick<Arrival, 'deviceId' | 'sha256' | 'idempotencyKey' | 'uploadedAt'>;

/** Two different keys say that these are two crashes, even if the bytes are alike. */
export function isSameDump(earlier: Comparable, arrival: Comparable): boolean {
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
  const rows = fresh.map(
    ({ deviceId, filename, chip, firmwareVersion, size, sha256, idempotencyKey, uploadedAt }) =>
      Prisma.sql`(${deviceId}, ${filename}, ${chip}, ${firmwareVersion}, ${size}, ${sha256}, ${idempotencyKey}, ${uploadedAt}, 'PENDING')`,
  );
  const stored = await tx.$queryRaw<Array<{ id: number; deviceId: number; filename: string }>>`
    INSERT INTO "Coredump" ("deviceId", "filename", "chip", "firmwareVersion", "size", "sha256", "idempotencyKey", "uploadedAt", "parseStatus")
    VALUES ${Prisma.join(rows)} RETURNING "id", "deviceId", "filename"`;
  // The order of RETURNING is not promised; file names are unique within a device.
  const ids = new Map(stored.map(({ id, deviceId, filename }) => [`${deviceId}/${filename}`, id]));
  return fresh.flatMap((arrival) => {
    const id = ids.get(`${arrival.deviceId}/${arrival.filename}`);
    return id === undefined ? [] : [newRow(id, arrival)];
  });
}

function newRow(id: number, { deviceKey, idempotencyKey, ...columns }: Arrival): CoredumpRow {
  return {
    ...columns,
    id,
    firmwareId: null,
    parseStatus: 'PENDING',
    parseAttempts: 0,
    parseGeneration: 0,
    appElfSha256: null,
    fingerprint: null,
    parsedAt: null,
  };
}

/** The row alone shows it: what was read was counted then, and what is queued again was counted before that (`reset`). */
function wasNeverRead({ parseStatus, parseGeneration }: DumpBeyondMaximum): boolean {
  return parseStatus === 'PENDING' && parseGeneration === 0;
}

function deviceIdsOf(arrivals: readonly Arrival[]): number[] {
  return [...new Set(arrivals.map(({ deviceId }) => deviceId))];
}
