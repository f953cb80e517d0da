import { DomainError, notFound } from '../errors.js';
import { createBoundedTransactions } from '../platform/database/bounded-transactions.js';
import { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { deadlineError } from '../platform/deadline.js';
import { createBatcher, UnknownOutcome } from '../platform/queue/batcher.js';
import { COLUMNS, type StoredRow } from './read.js';
import { type DumpBeyondMaximum, maxOfPending, type RetiredDump, retireOldest } from './retention.js';
import { toCoredumpRow } from './row.js';
import type { CoredumpKind, CoredumpRow } from './types.js';
import type { CountRetired } from './unread.js';

/** The same bytes from the same device within this time are the same dump, sent again after a missing response. */
export const RETRY_WINDOW_MS = 10 * 60 * 1000;

/** Most uploads in one commit; beyond some dozens, the shared fsync is already a small part of each upload. */
const MAX_GROUP = 64;
/**
 * How long a group waits for more uploads while many arrive; short compared with the latency of an upload under load.
 */
const GATHER_MS = 4;

/** A dump whose bytes are durable under `filename` and that has no row yet. */
export interface Arrival {
  deviceId: number;
  deviceKey: string;
  filename: string;
  /** Of a summary it is known at once; of other bytes a first look tells it later. */
  kind: CoredumpKind;
  chip: string;
  firmwareVersion: string;
  /** The build that a person chose for its parse. */
  chosenFirmwareId: number | null;
  size: number;
  sha256: string;
  idempotencyKey: string | null;
  uploadedAt: Date;
}

/**
 * `retired`: dumps of the device beyond its maximum; their rows are deleted, their files not yet. `isKept` is false
 * when the new dump itself was retired: more dumps than the maximum arrived at once.
 */
export type CommitOutcome =
  | { status: 'stored'; coredump: CoredumpRow; isKept: boolean; retired: RetiredDump[] }
  | { status: 'duplicate'; coredump: CoredumpRow };

/** Runs inside the transaction that inserts the dumps: its writes commit or roll back with them. */
type Enqueue = (tx: DbTransaction, stored: readonly CoredumpRow[]) => Promise<void>;

/**
 * Inserts rows for uploaded dumps. Uploads are grouped, so that they share statements and SQLite's fsync: one
 * transaction of five statements per group, whatever its size. In this transaction
 * - a duplicate (same idempotency key, or same bytes within `RETRY_WINDOW_MS`) gets the row of the first upload,
 * - every device keeps its `maxCoredumps` newest rows. A crash whose dump is deleted before it was parsed is counted,
 *   which takes two more statements.
 *
 * Plain SQL for both databases: this runs with every upload, and Prisma's query builder takes several times the CPU
 * time of the whole upload.
 */
export function createCommitter({ db, maxCoredumps, countRetired, enqueue = async () => {} }: CommitterDeps) {
  const inTransaction = createBoundedTransactions(db);
  return createBatcher<Arrival, CommitOutcome | { status: 'failed'; error: unknown }>({
    maxItems: MAX_GROUP,
    gatherMs: GATHER_MS,
    late: () => ({ status: 'failed', error: deadlineError() }),
    async run(arrivals, signal) {
      const ended = await inTransaction(signal, (tx) =>
        commitGroup(tx, arrivals, { maxCoredumps, countRetired, enqueue }),
      ).catch((error: unknown) => {
        throw error === signal.reason ? error : new UnknownOutcome(error);
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
  /** Runs in the transaction that deletes the rows. */
  countRetired: CountRetired;
  /** Adds parse jobs, for a queue that is stored in the database. */
  enqueue?: Enqueue | undefined;
}

type Committing = Required<Pick<CommitterDeps, 'maxCoredumps' | 'countRetired'>> & { enqueue: Enqueue };

/** The same for one upload, in a transaction that also writes something else. @throws what refuses the upload */
export async function commitOne(
  tx: DbTransaction,
  arrival: Arrival,
  committing: Committing,
): Promise<CommitOutcome> {
  const [outcome] = await commitGroup(tx, [arrival], committing);
  if (outcome === undefined) throw new Error('an upload has no outcome');
  if (outcome.status === 'failed') throw outcome.error;
  return outcome;
}

async function commitGroup(
  tx: DbTransaction,
  arrivals: readonly Arrival[],
  { maxCoredumps, countRetired, enqueue }: Committing,
) {
  const known = await lockDevices(tx, arrivals);
  const earlier = await findEarlier(tx, arrivals);
  const fresh: Arrival[] = [];
  /** For each arrival: the index of its row in `fresh`, an earlier row, or a device that does not exist any more. */
  const plans = arrivals.map((arrival) => {
    const device = known.get(arrival.deviceId);
    if (device === undefined) return { refused: notFound('device', arrival.deviceKey) };
    if (device.approval === 'REJECTED') return { refused: rejected(arrival.deviceKey) };
    const stored = earlier.find((row) => isSameDump(row, arrival));
    if (stored !== undefined) return { stored };
    const twin = fresh.findIndex((other) => isSameDump(other, arrival));
    if (twin >= 0) return { twin };
    return { own: fresh.push(arrival) - 1 };
  });
  const rows = await insert(tx, fresh);
  await countCrashes(tx, rows);
  const isPending = ({ deviceId }: { deviceId: number }) => known.get(deviceId)?.approval === 'PENDING';
  const retired = [
    ...(await retireOldest(tx, deviceIdsOf(fresh.filter((row) => !isPending(row))), maxCoredumps)),
    ...(await retireOldest(tx, deviceIdsOf(fresh.filter(isPending)), maxOfPending(maxCoredumps))),
  ];
  const unread = retired.filter(wasNeverRead).flatMap(({ uploadedAt: at, ...dump }) => {
    const device = known.get(dump.deviceId);
    // Crashes of a device that waits for approval are not counted.
    return device?.approval === 'APPROVED' ? [{ ...dump, modelId: device.modelId, at }] : [];
  });
  if (unread.length > 0) await countRetired(tx, unread);
  const isKept = (row: CoredumpRow) => !retired.some(({ id }) => id === row.id);
  const kept = rows.filter(isKept);
  if (kept.length > 0) await enqueue(tx, kept);

  return plans.map((plan) => {
    if (plan.refused !== undefined) return { status: 'failed' as const, error: plan.refused };
    if (plan.stored !== undefined)
      return { status: 'duplicate' as const, coredump: toCoredumpRow(plan.stored) };
    const index = plan.own ?? plan.twin;
    const coredump = rows[index];
    if (coredump === undefined) throw new Error('the database answered fewer rows than were inserted');
    if (plan.own === undefined) return { status: 'duplicate' as const, coredump };
    // The retired dumps of a device are reported once: with the first upload of this device in the group.
    const isFirst = fresh.findIndex(({ deviceId }) => deviceId === coredump.deviceId) === plan.own;
    const ofDevice = isFirst ? retired.filter(({ deviceId }) => deviceId === coredump.deviceId) : [];
    return { status: 'stored' as const, coredump, isKept: isKept(coredump), retired: ofDevice };
  });
}

/**
 * First statement of the transaction. It is a write, so from here on no other transaction changes these devices' dumps.
 * @returns the devices that exist, by their ids
 */
async function lockDevices(
  tx: DbTransaction,
  arrivals: readonly Arrival[],
): Promise<Map<number, LockedDevice>> {
  const at = arrivals.at(-1)?.uploadedAt ?? null;
  const locked = await tx.$queryRaw<LockedDevice[]>`
    UPDATE "Device" SET "lastUploadAt" = ${at}, "lastSeenAt" = ${at}
    WHERE "id" IN (${Prisma.join(deviceIdsOf(arrivals))}) RETURNING "id", "modelId", "approval"`;
  return new Map(locked.map((device) => [device.id, device]));
}

interface LockedDevice {
  id: number;
  modelId: number;
  approval: string;
}

/** An admin rejected the device while its dump was received. */
function rejected(key: string): DomainError {
  return new DomainError('FORBIDDEN', `The device "${key}" was rejected: an admin can approve it.`);
}

type Earlier = StoredRow & { idempotencyKey: string | null };

/** One condition per arrival that an index can answer. `isSameDump` decides whether it is the same dump. */
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

/** Two different idempotency keys mean two crashes, even if the bytes are equal. */
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
    ({
      deviceId,
      filename,
      kind,
      chip,
      firmwareVersion,
      chosenFirmwareId,
      size,
      sha256,
      idempotencyKey,
      uploadedAt,
    }) =>
      Prisma.sql`(${deviceId}, ${filename}, ${kind}, ${chip}, ${firmwareVersion}, ${firmwareVersion}, ${chosenFirmwareId}, ${size}, ${sha256}, ${idempotencyKey}, ${uploadedAt}, 'PENDING')`,
  );
  const stored = await tx.$queryRaw<Array<{ id: number; deviceId: number; filename: string }>>`
    INSERT INTO "Coredump" ("deviceId", "filename", "kind", "chip", "firmwareVersion", "crashVersion", "chosenFirmwareId", "size", "sha256", "idempotencyKey", "uploadedAt", "parseStatus")
    VALUES ${Prisma.join(rows)} RETURNING "id", "deviceId", "filename"`;
  // The order of RETURNING is not guaranteed; file names are unique within a device.
  const ids = new Map(stored.map(({ id, deviceId, filename }) => [`${deviceId}/${filename}`, id]));
  return fresh.flatMap((arrival) => {
    const id = ids.get(`${arrival.deviceId}/${arrival.filename}`);
    return id === undefined ? [] : [newRow(id, arrival)];
  });
}

/** Each stored dump is a crash of its device, whatever becomes of the dump. The devices are locked. */
async function countCrashes(tx: DbTransaction, rows: readonly CoredumpRow[]): Promise<void> {
  if (rows.length === 0) return;
  const ids = Prisma.join(rows.map(({ id }) => id));
  await tx.$executeRaw`
    UPDATE "Device" SET "crashCount" = "crashCount" + n."count", "lastCrashAt" = n."at" FROM (
      SELECT "deviceId", count(*) AS "count", max("uploadedAt") AS "at" FROM "Coredump" WHERE "id" IN (${ids})
      GROUP BY "deviceId"
    ) n WHERE n."deviceId" = "Device"."id"`;
}

function newRow(id: number, { deviceKey, idempotencyKey, ...columns }: Arrival): CoredumpRow {
  return {
    ...columns,
    id,
    crashVersion: columns.firmwareVersion,
    firmwareId: null,
    parseStatus: 'PENDING',
    parseErrorKind: null,
    parseAttempts: 0,
    parseGeneration: 0,
    appElfSha256: null,
    dumpChip: null,
    fingerprint: null,
    crashKind: null,
    crashedTask: null,
    reason: null,
    updatedAt: null,
    parsedAt: null,
  };
}

/**
 * The row alone shows it: a parsed dump was counted when it was parsed, a requeued dump when it was requeued (`reset`).
 */
function wasNeverRead({ parseStatus, parseGeneration }: DumpBeyondMaximum): boolean {
  return parseStatus === 'PENDING' && parseGeneration === 0;
}

function deviceIdsOf(arrivals: readonly Arrival[]): number[] {
  return [...new Set(arrivals.map(({ deviceId }) => deviceId))];
}
