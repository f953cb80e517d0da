import type { Readable } from 'node:stream';
import type { Audit } from '../audit/service.js';
import type { Person } from '../auth/principal.js';
import { DomainError, notFound } from '../errors.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Db } from '../platform/database/types.js';
import { wholeRow } from '../platform/database/whole-rows.js';
import { elfKey } from './blob-keys.js';
import type { LostElfs } from './lost-elfs.js';
import type { Firmware } from './types.js';

/** A build whose ELF can be read, and the code of its model. */
export interface OpenedElf {
  firmware: Firmware;
  modelCode: string;
  size: number;
  stream: Readable;
}

/** The ELFs of stored builds: for people, who download them, and for the parser, which gets a copy. */
export function createElfFiles({ db, blobs, lost, audit }: ElfFilesDeps) {
  return {
    /**
     * Opens the ELF of a build. Admins and uploaders may have it (of a CI job's own models), viewers where they may have
     * raw dumps, which need it.
     *
     * @throws DomainError NOT_FOUND, FORBIDDEN, UNAVAILABLE when the storage has lost the ELF
     */
    async openElf(id: number, person: Person): Promise<OpenedElf> {
      const row = wholeRow(
        await db.firmware.findUnique({ where: { id }, include: { model: { include: { privacy: true } } } }),
        'model',
      );
      if (row === null) throw notFound('firmware', id);
      const { model, ...firmware } = row;
      if (!mayHave(person, model)) {
        throw new DomainError('FORBIDDEN', `Your token is not for the firmware of model "${model.code}".`);
      }
      const blob = await blobs.open(elfKey(model.code, firmware.elfSha256));
      if (blob !== null) return { firmware, modelCode: model.code, ...blob };
      if (!(await lost.note(firmware))) throw notFound('firmware', id);
      throw new DomainError(
        'UNAVAILABLE',
        `The ELF of firmware ${firmware.version} is missing in the storage: upload the same ELF again.`,
      );
    },

    /** Records the download in the audit. Call it before the bytes of an opened ELF are sent. */
    noteElfDownload: ({ firmware, modelCode }: Pick<OpenedElf, 'firmware' | 'modelCode'>): Promise<void> =>
      audit.noteReading({
        action: 'downloadFirmware',
        targetType: 'Firmware',
        targetId: firmware.id,
        target: `${modelCode} ${firmware.version}`,
      }),

    /**
     * Copies the build's ELF to `path`. @returns its size, or null when the ELF is missing or incomplete in the storage
     */
    async copyElf(firmware: Firmware, path: string): Promise<number | null> {
      const model = await db.deviceModel.findUnique({ where: { id: firmware.modelId } });
      if (model === null) return null;
      const size = await blobs.copyTo(elfKey(model.code, firmware.elfSha256), path);
      return size === firmware.size ? size : null;
    },
  };
}

interface ElfFilesDeps {
  db: Db;
  blobs: Pick<BlobStore, 'open' | 'copyTo'>;
  lost: Pick<LostElfs, 'note'>;
  audit: Pick<Audit, 'noteReading'>;
}

function mayHave(
  { kind, models }: Person,
  { code, privacy }: { code: string; privacy: { rawForAdminsOnly: boolean } | null },
): boolean {
  if (kind === 'viewer') return privacy?.rawForAdminsOnly !== true;
  return models === undefined || models.includes(code);
}
