import type { Readable } from 'node:stream';
import type { Audit } from '../audit/service.js';
import type { Reader } from '../auth/principal.js';
import { DomainError, notFound } from '../errors.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { wholeRow } from '../platform/database/whole-rows.js';
import type { Logger } from '../platform/logger.js';
import { inParallel } from '../platform/queue/in-parallel.js';
import { coredumpKey } from './blob-keys.js';
import type { LostDumps } from './lost-dumps.js';
import { PEEK_BYTES, peek } from './peek-dump.js';
import { whyRemoved } from './remove-raw.js';
import type { RetiredDump } from './retention.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import { type DumpIdentity, NO_IDENTITY } from './store-reading.js';
import type { CoredumpRow } from './types.js';

export type RawFiles = ReturnType<typeof createRawFiles>;

interface RawFilesDeps {
  db: Db;
  blobs: Pick<BlobStore, 'open' | 'readAtMost' | 'delete'>;
  lost: Pick<LostDumps, 'note'>;
  audit: Pick<Audit, 'noteReading'>;
  log: Logger;
}

/** The raw bytes of dumps: opens and deletes them, or explains why they are missing. */
export function createRawFiles({ db, blobs, lost, audit, log }: RawFilesDeps) {
  return {
    /**
     * Opens the raw bytes.
     * @throws DomainError NOT_FOUND, also when the dump is not of device `ofDevice`; FORBIDDEN; GONE when the bytes
     *   were removed; UNAVAILABLE, also when the file is missing in the storage: it may be restored
     */
    async open(
      id: number,
      role: Reader['kind'],
      ofDevice?: { id: number } | { key: string },
    ): Promise<{ coredump: CoredumpRow; size: number; stream: Readable }> {
      const row = await find({ id, ...(ofDevice === undefined ? {} : { device: ofDevice }) });
      if (row === null) throw notFound('core dump', id);
      const { device, ...columns } = row;
      if (role !== 'admin' && device.model.privacy?.rawForAdminsOnly === true) {
        throw new DomainError(
          'FORBIDDEN',
          'Raw core dumps, texts and summaries of this model are for admins (its privacy settings).',
        );
      }
      const blob = await blobs.open(coredumpKey(device.key, row.filename));
      if (blob === null) throw await whyMissing(row.id, 'UNAVAILABLE');
      return { coredump: toCoredumpRow(columns), ...blob };
    },

    /** What the dump says of itself; nothing when its bytes are missing, or are no dump. */
    async identityOf(deviceKey: string, filename: string): Promise<DumpIdentity> {
      const head = await blobs.readAtMost(coredumpKey(deviceKey, filename), PEEK_BYTES);
      const peeked = head === null ? null : peek(head);
      if (peeked === null || typeof peeked === 'string') return NO_IDENTITY;
      const { kind, appElfSha256, dumpChip } = peeked;
      return { kind, appElfSha256, dumpChip };
    },

    /** Records the download in the audit. Call it before the bytes of an opened dump are sent. */
    noteDownload: ({ id, filename }: CoredumpRow): Promise<void> =>
      audit.noteReading({
        action: 'downloadCoredump',
        targetType: 'Coredump',
        targetId: id,
        target: filename,
      }),

    /** Best effort: a file that cannot be deleted now has no row, so the sweep removes it. */
    async delete(deviceKey: string, dumps: ReadonlyArray<Pick<RetiredDump, 'filename'>>): Promise<void> {
      await inParallel(dumps, async ({ filename }) => {
        try {
          await blobs.delete(coredumpKey(deviceKey, filename));
        } catch (error) {
          log.warn({ err: error, deviceKey, filename }, 'could not delete a core dump file');
        }
      });
    },

    whyMissing,
  };

  async function find(where: Prisma.CoredumpWhereInput) {
    const model = { select: { privacy: { select: { rawForAdminsOnly: true } } } };
    const row = await db.coredump.findFirst({
      where,
      select: { ...COREDUMP_ROW, device: { select: { key: true, model } } },
    });
    return wholeRow(row, 'device');
  }

  /**
   * The dump may have been deleted between reading its row and its file.
   * @param lostCode the error code if the file is missing in the storage
   */
  async function whyMissing(id: number, lostCode: 'GONE' | 'UNAVAILABLE'): Promise<DomainError> {
    const missing = await lost.note(id);
    if (missing.is === 'gone') return notFound('core dump', id);
    return missing.is === 'removed' ? removed(id, missing.reason) : lostFile(id, lostCode);
  }
}

function removed(id: number, reason: string): DomainError {
  const message = `The raw bytes of crash "${id}" were removed, ${whyRemoved(reason)}; its report stays.`;
  return new DomainError('GONE', message);
}

function lostFile(id: number, code: 'GONE' | 'UNAVAILABLE'): DomainError {
  return new DomainError(
    code,
    `The file of crash "${id}" is missing in the storage; its report stays. The crash can be read again once the ` +
      'file is restored, from a backup for instance.',
  );
}
