/*
 * What happens on an upload?
 *
 * 1. The route (`http/upload.ts`) checks limits, device and parameters by the head of the request, and passes the body
 *    on as a stream.
 * 2. `save` receives the body into the storage, hashes it and counts its bytes. It has no name yet.
 * 3. `publish` gives the bytes their name. From then on they are durable.
 * 4. `commit.ts` inserts the row, in one transaction with the uploads of the same moment. A duplicate is answered with
 *    the first dump's row. The device's oldest dumps beyond `MAX_COREDUMPS` are deleted.
 * 5. `afterCommit` notifies subscribers and the parse queue. A failure from here on does not fail the upload.
 * 6. The route answers 201. The parse runs later (`parsing.ts`), in the background.
 *
 * When a step before the end of the commit fails, nothing of the dump is kept and the device gets another status.
 */

import type { Audit, AuditNote } from '../audit/service.js';
import { badInput, DomainError } from '../errors.js';
import type { BlobStore, IncomingBlob } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import { asDomainError } from '../platform/database/errors.js';
import { findCommitted } from '../platform/database/failed-commit.js';
import type { Db } from '../platform/database/types.js';
import { withDeadline } from '../platform/deadline.js';
import type { Logger } from '../platform/logger.js';
import { coredumpFilename, coredumpKey } from './blob-keys.js';
import { type Arrival, type CommitOutcome, commitOne, createCommitter } from './commit.js';
import type { CoredumpEvents } from './events.js';
import { findEarlierDump, hashOf } from './find-duplicate.js';
import { limitedBytes } from './limited-bytes.js';
import type { Outbox } from './outbox.js';
import type { ParseTask } from './parse-task.js';
import type { RawFiles } from './raw-files.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import { type CoredumpKind, type CoredumpRow, UNKNOWN } from './types.js';
import type { CountRetired } from './unread.js';

export interface UploadingDevice {
  id: number;
  key: string;
  modelId: number;
  modelCode: string;
}

export interface Upload {
  device: UploadingDevice;
  /** Left out: a first look at the bytes tells it. */
  kind?: CoredumpKind;
  /** Null: what the last boot report of the device said, else "unknown". The same for the version. */
  chip: string | null;
  firmwareVersion: string | null;
  /** The build that a person chose for its parse; left out: none. */
  chosenFirmwareId?: number | null;
  /** From the `Idempotency-Key` header. */
  idempotencyKey: string | null;
  body: AsyncIterable<Uint8Array>;
  /** How long the commit may take once the bytes are durable, in milliseconds; no limit if absent. */
  databaseWaitMs?: number;
  /** Aborted when the client has disconnected: then the upload is abandoned. */
  signal?: AbortSignal;
  /** What a person does is noted in the audit, in the transaction of the commit. */
  noteOf?: (coredump: CoredumpRow, isDuplicate: boolean) => AuditNote;
}

type UploadBeforeDevice = Omit<Upload, 'device'> & {
  device: UploadingDevice | (() => Promise<UploadingDevice>);
};

/** A dump whose bytes alone tell which device sent it. */
export interface UnidentifiedUpload extends Pick<Upload, 'body'> {
  /** @param file path of a local copy of the bytes. An error refuses the dump. */
  identify(file: string): Promise<Omit<Upload, 'body' | 'signal'>>;
}

interface IngestDeps {
  db: Db;
  blobs: BlobStore;
  files: Pick<RawFiles, 'delete'>;
  outbox: Outbox;
  events: CoredumpEvents;
  /** Null when no sidecar is configured: dumps are stored and stay PENDING. */
  queue: { add(task: ParseTask): void } | null;
  clock: Clock;
  audit: Pick<Audit, 'change'>;
  log: Logger;
  limits: { maxCoredumps: number; maxCoredumpBytes: number };
  /** Counts crashes whose dumps are retired before they were parsed. */
  countRetired: CountRetired;
  /** Called after the commit of each dump. */
  onStored: () => void;
}

interface Saved {
  coredump: CoredumpRow;
  isDuplicate: boolean;
}

/** Time limit for the lookup after a commit of unknown outcome: the device has already waited for that commit. */
const LOOKUP_MS = 5_000;
/** Names to try for one dump. A storage that reports every one of them as taken cannot be trusted. */
const MAX_NAMES = 5;

/** Stores dumps: steps 2 to 5 of the list at the top. */
export function createIngest({
  db,
  blobs,
  files,
  outbox,
  events,
  queue,
  clock,
  audit,
  log,
  limits,
  countRetired,
  onStored,
}: IngestDeps) {
  const { maxCoredumps } = limits;
  const committing = { maxCoredumps, countRetired, enqueue: outbox.waiting };
  const commit = createCommitter({ db, ...committing });

  return {
    /**
     * Stores a dump. When it resolves, the bytes and the row are durable; the parse has not started. When it rejects,
     * nothing of the dump is stored.
     *
     * @param upload.device a function registers a new device; it is called when the whole body has arrived
     * @throws DomainError TOO_LARGE, BAD_USER_INPUT (empty), NOT_FOUND (the device does not exist any more), FORBIDDEN (it
     *   was rejected), STORAGE_FULL, UNAVAILABLE, and whatever `body` and `device` throw
     */
    save: ({ device: known, ...upload }: UploadBeforeDevice): Promise<Saved> =>
      receive(upload.body, async () => {
        upload.signal?.throwIfAborted();
        return { ...upload, device: typeof known === 'function' ? await known() : known };
      }),

    /**
     * Stores a dump as `save` does, and asks who sent it when all of its bytes have arrived.
     *
     * @throws DomainError as `save`, and whatever `identify` throws
     */
    saveUnidentified: ({ body, identify }: UnidentifiedUpload): Promise<Saved> =>
      receive(body, async (incoming) => ({ ...(await identify(await incoming.file())), body })),

    /**
     * Returns the stored dump that `upload` repeats, or null. The body is read to its end and not stored.
     *
     * @throws DomainError TOO_LARGE, and whatever `body` throws
     */
    async findDuplicate(upload: Upload): Promise<CoredumpRow | null> {
      const sha256 = await hashOf(limitedBytes(upload.body, limits.maxCoredumpBytes));
      const lookup = findEarlierDump(db, {
        deviceId: upload.device.id,
        idempotencyKey: upload.idempotencyKey,
        sha256,
        uploadedAt: clock.now(),
      });
      return upload.databaseWaitMs === undefined ? lookup : withDeadline(lookup, upload.databaseWaitMs);
    },
  };

  async function receive(
    body: Upload['body'],
    uploadOf: (incoming: IncomingBlob) => Promise<Upload>,
  ): Promise<Saved> {
    const incoming = await blobs.receive(limitedBytes(body, limits.maxCoredumpBytes));
    try {
      if (incoming.size === 0)
        throw badInput('The body is empty: send the raw core dump as the request body.');
      const upload = await uploadOf(incoming);
      const filename = await publish(incoming, upload);
      return await commitPublished(upload, incoming, filename);
    } finally {
      await incoming.discard();
    }
  }

  async function publish(incoming: IncomingBlob, { device, signal }: Upload): Promise<string> {
    for (let attempt = 1; attempt <= MAX_NAMES; attempt += 1) {
      const filename = coredumpFilename(clock.uniqueMicros());
      // A name is only taken if another server, or a clock that was set back, used the same microsecond.
      if (await incoming.publish(coredumpKey(device.key, filename), signal)) return filename;
    }
    const cause = new Error(`the storage reports ${MAX_NAMES} new names as taken`);
    throw new DomainError('UNAVAILABLE', 'The storage is not available now; try again.', { cause });
  }

  async function commitPublished(upload: Upload, incoming: IncomingBlob, filename: string) {
    const { device, kind = 'CORE_DUMP', idempotencyKey, chosenFirmwareId = null, noteOf } = upload;
    const { chip, firmwareVersion } = await reported(upload);
    const arrival: Arrival = {
      deviceId: device.id,
      deviceKey: device.key,
      filename,
      kind,
      chip,
      firmwareVersion,
      chosenFirmwareId,
      idempotencyKey,
      size: incoming.size,
      sha256: incoming.sha256,
      uploadedAt: clock.now(),
    };
    const outcome =
      noteOf === undefined
        ? await commitOrFind(arrival, upload.databaseWaitMs)
        : await commitNoted(arrival, noteOf);
    if (outcome.status !== 'stored') await files.delete(device.key, [{ filename }]);
    if (outcome.status === 'failed') throw asDomainError(outcome.error);
    if (outcome.status === 'stored') afterCommit(device, outcome);
    return { coredump: outcome.coredump, isDuplicate: outcome.status === 'duplicate' };
  }

  async function commitOrFind(arrival: Arrival, databaseWaitMs: number | undefined) {
    const { deviceKey, filename } = arrival;
    const begun = performance.now();
    const timeLeft = () =>
      databaseWaitMs === undefined ? undefined : databaseWaitMs - (performance.now() - begun);
    return commit(arrival, databaseWaitMs).catch(async (error: unknown) => {
      const known = await outcomeOfFailure(arrival, error);
      if (known.status !== 'failed' || (timeLeft() ?? 1) <= 0) return known;
      // The transaction was rolled back, so it can run again. If it was committed after all, newer dumps have already
      // retired this dump and its file.
      if ((await blobs.sizeOf(coredumpKey(deviceKey, filename))) === null) return known;
      return commit(arrival, timeLeft()).catch((again: unknown) => outcomeOfFailure(arrival, again));
    });
  }

  /** In a transaction of its own: what persons do is rare. */
  function commitNoted(
    arrival: Arrival,
    noteOf: NonNullable<Upload['noteOf']>,
  ): Promise<CommitOutcome | { status: 'failed'; error: unknown }> {
    const failed = (error: unknown) => ({ status: 'failed' as const, error });
    return audit
      .change<CommitOutcome>(
        async (tx, note) => {
          const outcome = await commitOne(tx, arrival, committing);
          await note(noteOf(outcome.coredump, outcome.status === 'duplicate'));
          return outcome;
        },
        async (error) => {
          const known = await outcomeOfFailure(arrival, error);
          if (known.status === 'failed') throw error;
          return known;
        },
      )
      .catch(failed);
  }

  async function reported({ device, chip, firmwareVersion }: Upload) {
    if (chip !== null && firmwareVersion !== null) return { chip, firmwareVersion };
    const select = { lastBootChip: true, lastBootVersion: true } as const;
    const boot = await db.device.findUnique({ where: { id: device.id }, select });
    return {
      chip: chip ?? boot?.lastBootChip ?? UNKNOWN,
      firmwareVersion: firmwareVersion ?? boot?.lastBootVersion ?? UNKNOWN,
    };
  }

  /**
   * A commit failed, or its answer did not arrive.
   * @throws the error of the commit when its outcome stays unknown. The file is kept then: a file without a row is
   *   removed by a later sweep, but a row without a file is a lost dump.
   */
  async function outcomeOfFailure(arrival: Arrival, error: unknown) {
    const { deviceId, deviceKey, filename, uploadedAt } = arrival;
    const row = await findCommitted(db, asDomainError(error), {
      async find(tx) {
        // Every commit of this device starts with this lock.
        await tx.device.updateMany({ where: { id: deviceId }, data: { lastUploadAt: uploadedAt } });
        const where = { deviceId_filename: { deviceId, filename } };
        return tx.coredump.findUnique({ where, select: COREDUMP_ROW });
      },
      withinMs: LOOKUP_MS,
      onUnknown: (reason) =>
        log.warn({ err: reason, deviceKey, filename }, 'it is not known whether a core dump was committed'),
    });
    return row === null ? { status: 'failed' as const, error } : storedEarlier(toCoredumpRow(row));
  }

  /** The dump is stored at this point: no later error may fail the upload. */
  function afterCommit(device: UploadingDevice, outcome: CommitOutcome & { status: 'stored' }) {
    const { coredump, isKept, retired } = outcome;
    const { chip, firmwareVersion } = coredump;
    void files.delete(device.key, retired);
    onStored();
    if (!isKept) return;
    events.publish(coredump);
    queue?.add({
      coredumpId: coredump.id,
      generation: 0,
      modelId: device.modelId,
      modelCode: device.modelCode,
      deviceKey: device.key,
      filename: coredump.filename,
      kind: coredump.kind,
      chip,
      firmwareVersion,
      crashVersion: firmwareVersion,
      chosenFirmwareId: coredump.chosenFirmwareId,
    });
  }
}

/** For a commit that was found later: the files of the dumps that it retired are removed by the sweep. */
function storedEarlier(coredump: CoredumpRow) {
  return { status: 'stored' as const, coredump, isKept: true, retired: [] };
}
