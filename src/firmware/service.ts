import type { Readable } from 'node:stream';
import type { Audit } from '../audit/service.js';
import { conflict, DomainError, notFound } from '../errors.js';
import type { BlobStore, IncomingBlob } from '../platform/blobs/blob-store.js';
import type { TidyOptions } from '../platform/blobs/tidy.js';
import type { Clock } from '../platform/clock.js';
import { findCommitted } from '../platform/database/failed-commit.js';
import type { Database, DbTransaction } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import { elfKey } from './blob-keys.js';
import { openBundle } from './bundle.js';
import { type FoundBuild, findBuild, type WantedBuild } from './find-build.js';
import { identify } from './identity.js';
import { createLostElfs } from './lost-elfs.js';
import { sweepFirmware } from './orphan-sweep.js';
import { retireBuilds } from './retention.js';
import type { Firmware } from './types.js';
import { agreedVersion, assertVersion, type VersionClaim } from './version.js';

export interface FirmwareUpload {
  modelCode: string;
  version?: string | null | undefined;
  bundle: FirmwareBundle;
}

export interface FirmwareBundle {
  filename: string;
  stream: Readable;
  /** To be asked after the end of `stream`: whether the transport has cut it at its limit without an error. */
  truncated(): boolean;
}

/** The ELF may be so many times larger than the bundle's limit: docs/configuration.md, MAX_FIRMWARE_BYTES. */
const INFLATED_TIMES = 4;

/** What happens to firmware builds, whoever asks for it. */
export type FirmwareService = ReturnType<typeof createFirmwareService>;

interface FirmwareServiceDeps {
  database: Pick<Database, 'db' | 'runExclusive'>;
  blobs: BlobStore;
  clock: Clock;
  audit: Pick<Audit, 'change' | 'note' | 'removal'>;
  log: Logger;
  config: { maxFirmwares: number; maxFirmwareBytes: number };
  /** Called when a build can be used that could not before. What it throws is logged and hurts nobody. */
  onArrival: (firmware: Firmware) => Promise<void>;
}

export function createFirmwareService({
  database,
  blobs,
  clock,
  audit,
  log,
  config,
  onArrival,
}: FirmwareServiceDeps) {
  const { db } = database;
  const { maxFirmwares, maxFirmwareBytes } = config;
  const lost = createLostElfs({ db, blobs, clock, log });
  /**
   * A blob and its row change together, and an upload must not meet the deletion of the same build halfway: so the
   * builds of a model change one after the other.
   */
  const runExclusive = <T>(modelId: number, work: () => Promise<T>) =>
    database.runExclusive(`firmware of model ${modelId}`, work);

  return {
    /**
     * Takes a build in. When it resolves its ELF and its row are durable. The same ELF again changes nothing.
     *
     * @throws DomainError NOT_FOUND (model), TOO_LARGE, BAD_USER_INPUT (what was wrong and what to do), CONFLICT (the
     *   same ELF is there under another version), STORAGE_FULL, UNAVAILABLE, and whatever the stream throws
     */
    async upload({ modelCode, version, bundle }: FirmwareUpload): Promise<Firmware> {
      try {
        const claim = claimOf(version);
        const model = await db.deviceModel.findUnique({ where: { code: modelCode } });
        if (model === null) throw notFound('device model', modelCode);
        return await receive(model, claim, bundle);
      } finally {
        // A refused upload is read to its end and thrown away: busboy waits for ever on a stream that nobody reads.
        bundle.stream.on('error', () => {}).resume();
      }
    },

    /** Dumps that were read with it keep their report. @throws DomainError NOT_FOUND */
    async delete(id: number): Promise<void> {
      const build = await db.firmware.findUnique({ where: { id }, include: { model: true } });
      if (build === null) throw notFound('firmware', id);
      await runExclusive(build.modelId, async () => {
        await audit.removal(async (tx, note) => {
          const { count } = await tx.firmware.deleteMany({ where: { id } });
          if (count === 0) throw notFound('firmware', id);
          await note(onFirmware('deleteFirmware', build, build.model.code));
        });
        await deleteElf(build.model.code, build);
      });
    },

    findBuild: (wanted: WantedBuild): Promise<FoundBuild> => findBuild(db, wanted),

    /** Copies the build's ELF to `path`. Answers its size, or null when the storage has not got it whole. */
    async copyElf(firmware: Firmware, path: string): Promise<number | null> {
      const model = await db.deviceModel.findUnique({ where: { id: firmware.modelId } });
      if (model === null) return null;
      const size = await blobs.copyTo(elfKey(model.code, firmware.elfSha256), path);
      return size === firmware.size ? size : null;
    },

    noteLostElf: lost.note,

    isElfThere: lost.isThere,

    /** Looks for ELFs that are lost or there again. @param which see `LostElfs.check` */
    checkElfs: lost.check,

    countLostElfs: lost.count,

    /** To be called before the first upload. @param options see `sweepFirmware` */
    sweep: (options?: TidyOptions) => sweepFirmware({ db, blobs, clock, log }, options),
  };

  async function receive(model: Model, claim: VersionClaim[], bundle: FirmwareBundle): Promise<Firmware> {
    const incoming = await blobs.receive(limited(bundle, maxFirmwareBytes));
    try {
      const { elf, claims } = await openBundle(incoming, {
        modelCode: model.code,
        maxElfBytes: maxFirmwareBytes * INFLATED_TIMES,
        blobs,
      });
      try {
        const { chip, appDescriptor } = await identify(elf);
        const version = agreedVersion([...claim, ...claims, ...descriptorClaim(appDescriptor)]);
        return await runExclusive(model.id, () => store(model, elf, { version, chip }));
      } finally {
        await elf.discard();
      }
    } finally {
      await incoming.discard();
    }
  }

  /** Blob first, then row: a row without its ELF would be a promise that cannot be kept. */
  async function store(model: Model, elf: IncomingBlob, labels: Labels): Promise<Firmware> {
    const elfSha256 = elf.sha256;
    const existing = await db.firmware.findFirst({ where: { modelId: model.id, elfSha256 } });
    if (existing !== null && existing.version !== labels.version) {
      throw conflict(
        `This ELF is already there as version "${existing.version}" of model "${model.code}": ` +
          `upload it as that, or delete that firmware first.`,
      );
    }
    const isNewBlob = await publish(elf, elfKey(model.code, elfSha256));
    const firmware = existing === null ? await insert(model, elf, labels) : await noteAgain(existing, model);
    // Also for a row whose ELF had been lost: dumps may have failed for lack of it.
    if (existing !== null && isNewBlob) await lost.isThere(firmware);
    if (existing === null || isNewBlob) await announce(firmware);
    return firmware;
  }

  /** In the place of a file that is not whole. @returns false when the ELF is there */
  async function publish(elf: IncomingBlob, key: string): Promise<boolean> {
    if (await elf.publish(key)) return true;
    if ((await blobs.sizeOf(key)) === elf.size) return false;
    await blobs.delete(key);
    return elf.publish(key);
  }

  async function insert(model: Model, elf: IncomingBlob, { version, chip }: Labels): Promise<Firmware> {
    const build = { modelId: model.id, version, chip, elfSha256: elf.sha256, size: elf.size };
    const { firmware, retired } = await audit.change(
      async (tx, note) => {
        await lockModel(tx, model);
        const made = await tx.firmware.create({ data: { ...build, uploadedAt: clock.now() } });
        await note(onFirmware('uploadFirmware', made, model.code));
        return { firmware: made, retired: await retireBuilds(tx, model.id, maxFirmwares) };
      },
      async (error) => {
        const { modelId, elfSha256 } = build;
        const made = await findCommitted(db, error, {
          async find(tx) {
            await lockModel(tx, model);
            return tx.firmware.findFirst({ where: { modelId, elfSha256 } });
          },
          // The ELF stays then: one without a row is swept one day, a row without its ELF would be a loss.
          onUnknown: (reason) =>
            log.warn({ err: reason, modelId, elfSha256 }, 'it is not known whether a firmware was committed'),
        });
        // Which builds it retired is not known any more: their ELFs stay until the next sweep.
        if (made !== null) return { firmware: made, retired: [] };
        // Nobody else can have given this ELF a row meanwhile.
        await deleteElf(model.code, build);
        throw error;
      },
    );
    for (const each of retired) await deleteElf(model.code, each);
    return firmware;
  }

  /** The same ELF once more changes nothing; the audit records all the same which build it was. */
  async function noteAgain(existing: Firmware, model: Model): Promise<Firmware> {
    await audit.note(onFirmware('uploadFirmware', existing, model.code));
    return existing;
  }

  async function announce(firmware: Firmware): Promise<void> {
    try {
      await onArrival(firmware);
    } catch (error) {
      log.error(
        { err: error, firmwareId: firmware.id },
        'could not queue the dumps that waited for a firmware',
      );
    }
  }

  /** Best effort: the sweep at the next start finds what stays. */
  async function deleteElf(modelCode: string, { elfSha256 }: Pick<Firmware, 'elfSha256'>): Promise<void> {
    try {
      await blobs.delete(elfKey(modelCode, elfSha256));
    } catch (error) {
      log.warn({ err: error, modelCode, elfSha256 }, 'could not delete a firmware file');
    }
  }
}

type Model = { id: number; code: string };
type Labels = Pick<Firmware, 'version' | 'chip'>;

/** Until the transaction's end nobody else changes builds of this model: every insertion begins with this. */
async function lockModel(tx: DbTransaction, { id, code }: Model): Promise<void> {
  const { count } = await tx.deviceModel.updateMany({ where: { id }, data: { code } });
  if (count === 0) throw notFound('device model', code);
}

function onFirmware(action: string, { id, version }: Pick<Firmware, 'id' | 'version'>, modelCode: string) {
  return { action, targetType: 'Firmware' as const, targetId: id, target: `${modelCode} ${version}` };
}

function claimOf(version: string | null | undefined): VersionClaim[] {
  if (version === null || version === undefined) return [];
  const claim = { version, from: 'the argument "version"' };
  // Before a long upload rather than after it.
  assertVersion(claim);
  return [claim];
}

function descriptorClaim(descriptor: { version: string } | null): VersionClaim[] {
  if (descriptor === null || descriptor.version === '') return [];
  return [{ version: descriptor.version, from: "the ELF's application descriptor" }];
}

/** @throws DomainError TOO_LARGE with the first byte over the limit */
async function* limited({ stream, truncated }: FirmwareBundle, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    const bytes: Uint8Array = chunk;
    size += bytes.byteLength;
    if (size > maxBytes) break;
    yield bytes;
  }
  if (size <= maxBytes && !truncated()) return;
  throw new DomainError(
    'TOO_LARGE',
    `The bundle is larger than ${maxBytes} bytes (MAX_FIRMWARE_BYTES): pack only the ELF and version.json.`,
  );
}
