import type { Readable } from 'node:stream';
import type { Audit } from '../audit/service.js';
import type { Person } from '../auth/principal.js';
import { badInput, DomainError, notFound } from '../errors.js';
import type { BlobStore, IncomingBlob } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Prisma } from '../platform/database/client.js';
import { asDomainError } from '../platform/database/errors.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { inTime } from '../platform/deadline.js';
import type { Logger } from '../platform/logger.js';
import { coredumpFilename, coredumpKey } from './blob-keys.js';
import { type Arrival, type CommitOutcome, createCommitter, type RetiredDump } from './commit.js';
import type { CoredumpEvents } from './events.js';
import { findCommitted } from './find-committed.js';
import { findEarlierDump, hashOf } from './find-duplicate.js';
import type { LostDumps } from './lost-dumps.js';
import type { Outbox } from './outbox.js';
import type { ParseTask } from './parse-state.js';
import { createCoredumpQueries, idsOfCoredumps } from './read.js';
import { whyRemoved } from './remove-raw.js';
import type { ArrivedFirmware, Requeue } from './requeue.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import { type CoredumpFilter, type CoredumpRow, PARSE_STATUSES, type ParseStatus } from './types.js';
import { type CountRetired, type CountUnread, deleteRows } from './unread.js';

export interface Upload {
  device: { id: number; key: string; modelId: number; modelCode: string };
  chip: string;
  firmwareVersion: string;
  /** From the `Idempotency-Key` header. */
  idempotencyKey: string | null;
  body: AsyncIterable<Uint8Array>;
  /** How long the database may keep it waiting once its bytes are there; absent: as long as it takes. */
  databaseWaitMs?: number;
  /** Aborted when the sender has gone: then nothing more is done for it. */
  signal?: AbortSignal;
}

/** What happens to dumps, whoever asks for it: REST and GraphQL both come here. */
export type CoredumpService = ReturnType<typeof createCoredumpService>;

interface CoredumpServiceDeps {
  db: Db;
  blobs: BlobStore;
  requeue: Requeue;
  lost: Pick<LostDumps, 'note' | 'isThere'>;
  outbox: Outbox;
  events: CoredumpEvents;
  /** Null when no sidecar is configured: dumps are stored and stay PENDING. */
  queue: { add(task: ParseTask): void } | null;
  clock: Clock;
  audit: Pick<Audit, 'change' | 'note' | 'removal' | 'noteReading'>;
  log: Logger;
  limits: { maxCoredumps: number; maxCoredumpBytes: number };
  /** Crashes whose dumps go before anybody has read them. */
  unread: { countUnread: CountUnread; countRetired: CountRetired };
  /** Called after the commit of each dump. */
  onStored?: () => void;
}

/** After a commit whose fate is not known, which has kept its device waiting already. */
const LOOKUP_MS = 5_000;
/** Names that are tried for a dump: a storage that has every one of them does not tell the truth. */
const MAX_NAMES = 5;

export function createCoredumpService({
  db,
  blobs,
  requeue,
  lost,
  outbox,
  events,
  queue,
  clock,
  audit,
  log,
  limits,
  unread: { countUnread, countRetired },
  onStored = () => {},
}: CoredumpServiceDeps) {
  const { maxCoredumps } = limits;
  const commit = createCommitter({ db, maxCoredumps, countRetired, enqueue: outbox.waiting });

  return {
    ...createCoredumpQueries(db),

    events,

    /**
     * Takes a dump in. When it resolves the bytes and the row are durable; the parse has not begun. When it rejects
     * nothing of the dump remains.
     *
     * @throws DomainError TOO_LARGE, BAD_USER_INPUT (empty), NOT_FOUND (the device is gone), STORAGE_FULL,
     *   UNAVAILABLE, and whatever `body` throws
     */
    async save(upload: Upload): Promise<{ coredump: CoredumpRow; isDuplicate: boolean }> {
      const incoming = await blobs.receive(limited(upload.body, limits.maxCoredumpBytes));
      try {
        if (incoming.size === 0)
          throw badInput('The body is empty: send the raw core dump as the request body.');
        const filename = await publish(incoming, upload);
        return await commitPublished(upload, incoming, filename);
      } finally {
        await incoming.discard();
      }
    },

    /**
     * The stored dump that `upload` sends again, if it does; its body is read to the end and nothing of it is kept.
     *
     * @throws DomainError TOO_LARGE, and whatever `body` throws
     */
    async findRepeated(upload: Upload): Promise<CoredumpRow | null> {
      const sha256 = await hashOf(limited(upload.body, limits.maxCoredumpBytes));
      const lookup = findEarlierDump(db, {
        deviceId: upload.device.id,
        idempotencyKey: upload.idempotencyKey,
        sha256,
        uploadedAt: clock.now(),
      });
      return upload.databaseWaitMs === undefined ? lookup : inTime(lookup, upload.databaseWaitMs);
    },

    async get(id: number): Promise<CoredumpRow | null> {
      const row = await db.coredump.findUnique({ where: { id }, select: COREDUMP_ROW });
      return row === null ? null : toCoredumpRow(row);
    },

    /**
     * The raw bytes.
     * @throws DomainError NOT_FOUND, also when the dump is not of device `ofDevice`; FORBIDDEN and GONE when the
     *   bytes were removed; UNAVAILABLE, also when the storage has lost them: they may be restored
     */
    async open(
      id: number,
      role: Person['kind'],
      ofDevice?: { id: number } | { key: string },
    ): Promise<{ coredump: CoredumpRow; size: number; stream: Readable }> {
      const row = await findWithDevice({ id, ...(ofDevice === undefined ? {} : { device: ofDevice }) });
      if (row === null) throw notFound('core dump', id);
      const { device, ...columns } = row;
      if (role !== 'admin' && device.model.privacy?.rawForAdminsOnly === true) {
        throw new DomainError(
          'FORBIDDEN',
          'Raw core dumps of this model are for admins (its privacy settings).',
        );
      }
      const blob = await blobs.open(coredumpKey(device.key, row.filename));
      if (blob === null) throw await missingFile(row.id, 'UNAVAILABLE');
      return { coredump: toCoredumpRow(columns), ...blob };
    },

    /** To be called before the bytes of an opened dump are handed out. */
    noteDownload: ({ id, filename }: CoredumpRow): Promise<void> =>
      audit.noteReading({
        action: 'downloadCoredump',
        targetType: 'Coredump',
        targetId: id,
        target: filename,
      }),

    /** Row, then file, best effort; the crash stays counted. @throws DomainError NOT_FOUND, also when the dump is not of `ofDeviceId` */
    async delete(id: number, ofDeviceId?: number): Promise<void> {
      const where = { id, ...(ofDeviceId === undefined ? {} : { deviceId: ofDeviceId }) };
      const row = await findWithDevice(where);
      if (row === null) throw notFound('core dump', id);
      await audit.removal(async (tx, note) => {
        const deleted = await deleteRows(tx, where, countUnread);
        if (deleted.length === 0) throw notFound('core dump', id);
        const target = `${row.device.key}/${row.filename}`;
        await note({ action: 'deleteCoredump', targetType: 'Coredump', targetId: id, target });
      });
      await deleteFiles(row.device.key, [row]);
    },

    /** @returns how many */
    async deleteAllOf(deviceId: number): Promise<number> {
      const device = await db.device.findUnique({ where: { id: deviceId }, select: { key: true } });
      if (device === null) throw notFound('device', deviceId);
      const dumps = await audit.removal(async (tx, note) => {
        const all = await deleteRowsOf(tx, deviceId);
        const target = `${all.length} of ${device.key}`;
        await note({ action: 'deleteCoredumps', targetType: 'Device', targetId: deviceId, target });
        return all;
      });
      await deleteFiles(device.key, dumps);
      return dumps.length;
    },

    /** For who deletes the device as well, in the same transaction; the files are to be deleted after its commit. */
    deleteRowsOf,

    /** Best effort: what cannot be deleted now has no row, and the sweep finds it. */
    deleteFiles,

    /** For metrics; statuses without a dump are counted as 0. */
    async countByStatus(): Promise<Array<[ParseStatus, number]>> {
      const groups = await db.coredump.groupBy({ by: ['parseStatus'], _count: true });
      return PARSE_STATUSES.map((status) => [
        status,
        groups.find(({ parseStatus }) => parseStatus === status)?._count ?? 0,
      ]);
    },

    /**
     * Back to PENDING and queued.
     * @throws DomainError NOT_FOUND, PARSER_NOT_CONFIGURED; GONE when there are no raw bytes any more: nothing is changed
     */
    async reparse(id: number): Promise<CoredumpRow> {
      requireParser();
      if (!(await lost.isThere(id))) throw await missingFile(id, 'GONE');
      const [row] = await requeue.reset({ id }, (work) =>
        audit.change(async (tx, note) => {
          const rows = await work(tx);
          for (const { filename } of rows) {
            await note({ action: 'reparseCoredump', targetType: 'Coredump', targetId: id, target: filename });
          }
          return rows;
        }),
      );
      if (row === undefined) throw notFound('core dump', id);
      return row;
    },

    /** @returns how many. @throws DomainError PARSER_NOT_CONFIGURED */
    async reparseAll(filter: CoredumpFilter): Promise<number> {
      requireParser();
      const noteOf = (count: number) => ({
        action: 'reparseCoredumps',
        target: `${count} core dumps of ${JSON.stringify(filter)}`,
      });
      const total = await requeue.resetAll(
        (window) => idsOfCoredumps(db, filter, window),
        (work) =>
          audit.change(async (tx, note) => {
            const rows = await work(tx);
            if (rows.length > 0) await note(noteOf(rows.length));
            return rows;
          }),
      );
      // Nothing was changed; who asked for it is known all the same.
      if (total === 0) await audit.note(noteOf(0));
      return total;
    },

    /**
     * Queues again what this build was missing for. Without a parser nothing was ever read, so nothing happens.
     * @returns how many
     */
    firmwareArrived: async (firmware: ArrivedFirmware): Promise<number> =>
      queue === null ? 0 : requeue.forArrived(firmware),
  };

  async function publish(incoming: IncomingBlob, { device, signal }: Upload): Promise<string> {
    for (let attempt = 1; attempt <= MAX_NAMES; attempt += 1) {
      const filename = coredumpFilename(clock.uniqueMicros());
      // A name is taken only where another server, or a clock that was set back, was at the same microsecond.
      if (await incoming.publish(coredumpKey(device.key, filename), signal)) return filename;
    }
    const cause = new Error(`the storage says of ${MAX_NAMES} new names that each is taken`);
    throw new DomainError('UNAVAILABLE', 'The storage is not available now; try again.', { cause });
  }

  async function commitPublished(upload: Upload, incoming: IncomingBlob, filename: string) {
    const { device, chip, firmwareVersion, idempotencyKey } = upload;
    const arrival: Arrival = {
      deviceId: device.id,
      deviceKey: device.key,
      filename,
      chip,
      firmwareVersion,
      idempotencyKey,
      size: incoming.size,
      sha256: incoming.sha256,
      uploadedAt: clock.now(),
    };
    const begun = performance.now();
    const timeLeft = () =>
      upload.databaseWaitMs === undefined ? undefined : upload.databaseWaitMs - (performance.now() - begun);
    const outcome = await commit(arrival, upload.databaseWaitMs).catch(async (error: unknown) => {
      const known = await outcomeOfFailure(arrival, error);
      if (known.status !== 'failed' || (timeLeft() ?? 1) <= 0) return known;
      // It was not done, and can be now; unless it was, and newer dumps have taken its place already, and its file.
      if ((await blobs.sizeOf(coredumpKey(device.key, filename))) === null) return known;
      return commit(arrival, timeLeft()).catch((again: unknown) => outcomeOfFailure(arrival, again));
    });

    if (outcome.status !== 'stored') await deleteFiles(device.key, [{ filename }]);
    if (outcome.status === 'failed') throw asDomainError(outcome.error);
    if (outcome.status === 'stored') afterCommit(upload, outcome);
    return { coredump: outcome.coredump, isDuplicate: outcome.status === 'duplicate' };
  }

  /**
   * A commit failed, or only its answer was lost.
   * @throws the commit's error when not even that can be known. The file stays then: bytes without a row are swept
   *   one day, a row without bytes would be a loss.
   */
  async function outcomeOfFailure(arrival: Arrival, error: unknown) {
    const { deviceKey, filename } = arrival;
    const lookup = inTime(findCommitted(db, arrival), LOOKUP_MS);
    const coredump = await lookup.catch((lookupError: unknown) => {
      log.warn(
        { err: lookupError, deviceKey, filename },
        'it is not known whether a core dump was committed',
      );
      throw asDomainError(error);
    });
    return coredump === null ? { status: 'failed' as const, error } : standing(coredump);
  }

  /** The dump is safe from here on: whatever goes wrong now must not fail the upload. */
  function afterCommit(
    { device, chip, firmwareVersion }: Upload,
    outcome: CommitOutcome & { status: 'stored' },
  ) {
    const { coredump, isKept, retired } = outcome;
    void deleteFiles(device.key, retired);
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
      chip,
      firmwareVersion,
    });
  }

  function requireParser(): void {
    if (queue !== null) return;
    throw new DomainError(
      'PARSER_NOT_CONFIGURED',
      'No parser is configured: set PARSE_SIDECAR_URL and PARSE_SIDECAR_XFER_DIR and start again.',
    );
  }

  /** Exactly the rows that it deletes, also where uploads are committed at the same time. */
  function deleteRowsOf(tx: DbTransaction, deviceId: number): Promise<RetiredDump[]> {
    return deleteRows(tx, { deviceId }, countUnread);
  }

  async function deleteFiles(
    deviceKey: string,
    dumps: ReadonlyArray<Pick<RetiredDump, 'filename'>>,
  ): Promise<void> {
    for (const { filename } of dumps) {
      try {
        await blobs.delete(coredumpKey(deviceKey, filename));
      } catch (error) {
        // The sweep at the next start finds it.
        log.warn({ err: error, deviceKey, filename }, 'could not delete a core dump file');
      }
    }
  }

  async function findWithDevice(where: Prisma.CoredumpWhereInput) {
    const model = { select: { privacy: { select: { rawForAdminsOnly: true } } } };
    return db.coredump.findFirst({
      where,
      select: { ...COREDUMP_ROW, device: { select: { key: true, model } } },
    });
  }

  /**
   * Between our read of the row and of the file the dump may have been deleted.
   * @param lostCode of a file that the storage has lost
   */
  async function missingFile(id: number, lostCode: 'GONE' | 'UNAVAILABLE'): Promise<DomainError> {
    const fate = await lost.note(id);
    if (fate.is === 'gone') return notFound('core dump', id);
    return fate.is === 'removed' ? removed(id, fate.reason) : lostFile(id, lostCode);
  }
}

/** Its commit is known by its row alone: the files of dumps that had to go for it are left to the sweep. */
function standing(coredump: CoredumpRow) {
  return { status: 'stored' as const, coredump, isKept: true, retired: [] };
}

function removed(id: number, reason: string): DomainError {
  const message = `The raw bytes of core dump "${id}" were removed, ${whyRemoved(reason)}; its report stays.`;
  return new DomainError('GONE', message);
}

function lostFile(id: number, code: 'GONE' | 'UNAVAILABLE'): DomainError {
  return new DomainError(
    code,
    `The file of core dump "${id}" is missing in the storage; its report stays. The dump can be read again once the ` +
      'file is restored, from a backup for instance.',
  );
}

/** @throws DomainError TOO_LARGE with the first byte over the limit; nothing after it is read */
async function* limited(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new DomainError(
        'TOO_LARGE',
        `The core dump is larger than ${maxBytes} bytes (MAX_COREDUMP_BYTES).`,
      );
    }
    yield chunk;
  }
}
