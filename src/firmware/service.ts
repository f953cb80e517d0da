import type { Audit } from '../audit/service.js';
import { conflict, naming, notFound } from '../errors.js';
import type { BlobStore, IncomingBlob } from '../platform/blobs/blob-store.js';
import type { SweepOptions } from '../platform/blobs/sweep-blobs.js';
import type { Clock } from '../platform/clock.js';
import { findCommitted } from '../platform/database/failed-commit.js';
import type { Database, DbTransaction } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import { elfKey } from './blob-keys.js';
import { openBundle } from './bundle.js';
import { createElfFiles } from './elf-files.js';
import { type Examined, examine, storeExamined } from './examine.js';
import { type FoundBuild, findBuild, type WantedBuild } from './find-build.js';
import { createLostElfs } from './lost-elfs.js';
import { sweepFirmware } from './orphan-sweep.js';
import { createFirmwareQueries } from './read.js';
import { type FirmwareBundle, ignoreRest, receiveBundle } from './receive-bundle.js';
import { retireBuilds } from './retention.js';
import { type Statement, statementOf } from './statement.js';
import type { Firmware } from './types.js';
import { assertVersion, labelOf } from './version.js';

export interface FirmwareUpload {
  modelCode: string;
  version?: string | null | undefined;
  /** Of the sources: a Git commit. */
  revision?: string | null | undefined;
  /** Whether `version`, or that of version.json, may differ from the version in the ELF. */
  allowVersionMismatch?: boolean | undefined;
  bundle: FirmwareBundle;
}

/** A build whose bytes alone may tell what it is. */
export interface UnidentifiedFirmware {
  bundle: FirmwareBundle;
  /** @param file path of a local copy of the bytes. An error refuses the build. */
  identify(file: string): Promise<Omit<FirmwareUpload, 'bundle'>>;
}

/** How many times larger than the bundle's limit the ELF may be: see MAX_FIRMWARE_BYTES in docs/configuration.md. */
const INFLATED_TIMES = 4;

/** Operations on firmware builds, for every transport. */
export type FirmwareService = ReturnType<typeof createFirmwareService>;

interface FirmwareServiceDeps {
  database: Pick<Database, 'db' | 'runExclusive'>;
  blobs: BlobStore;
  clock: Clock;
  audit: Pick<Audit, 'change' | 'note' | 'noteReading' | 'removal'>;
  log: Logger;
  config: { maxFirmwares: number; maxFirmwareBytes: number };
  /** Called when a new build can be used. Errors are logged and otherwise ignored. */
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
   * Runs changes of a model's builds one after the other: a blob and its row change together, and an upload must not
   * overlap with the deletion of the same build.
   */
  const runExclusive = <T>(modelId: number, work: () => Promise<T>) =>
    database.runExclusive(`firmware of model ${modelId}`, work);

  return {
    /**
     * Stores a build. When it resolves, its ELF and its row are durable. A second upload of the same ELF changes
     * nothing.
     *
     * @throws DomainError NOT_FOUND (model), TOO_LARGE, BAD_USER_INPUT (with what was wrong and how to correct it),
     *   CONFLICT (the same ELF is stored under another version), STORAGE_FULL, UNAVAILABLE, and whatever the stream
     *   throws
     */
    async upload({ bundle, ...upload }: FirmwareUpload): Promise<Firmware> {
      try {
        const target = await targetOf(upload);
        return await receive(bundle, async () => target);
      } finally {
        ignoreRest(bundle);
      }
    },

    /**
     * Stores a build as `upload` does, and asks what it is when all of its bytes have arrived.
     *
     * @throws DomainError as `upload`, and whatever `identify` throws
     */
    async uploadUnidentified({ bundle, identify }: UnidentifiedFirmware): Promise<Firmware> {
      try {
        return await receive(bundle, async (file) => targetOf(await identify(file)));
      } finally {
        ignoreRest(bundle);
      }
    },

    /**
     * Corrects a version that was given wrongly. Dumps that wait for the version are queued, as after an upload. Dumps that
     * name the build get its version, and are counted by it; reports that exist stay as they are.
     *
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT
     */
    async update(id: number, { version }: { version?: string }): Promise<Firmware> {
      if (version !== undefined) assertVersion({ version, from: 'the field "version"' }, 'version');
      const known = await db.firmware.findUnique({ where: { id }, select: { modelId: true } });
      if (known === null) throw notFound('firmware', id, { field: 'id' });
      const { build, isChanged } = await runExclusive(known.modelId, () => changeVersion(id, version));
      if (isChanged) await announce(build);
      return build;
    },

    /** Dumps that were parsed with this build keep their report. @throws DomainError NOT_FOUND */
    async delete(id: number): Promise<void> {
      const build = await db.firmware.findUnique({ where: { id }, include: { model: true } });
      if (build === null) throw notFound('firmware', id, { field: 'id' });
      await runExclusive(build.modelId, async () => {
        await audit.removal(async (tx, note) => {
          const { count } = await tx.firmware.deleteMany({ where: { id } });
          if (count === 0) throw notFound('firmware', id, { field: 'id' });
          await note(onFirmware('deleteFirmware', build, build.model.code));
        });
        await deleteElf(build.model.code, build);
      });
    },

    /** For work that deletes a model with its builds: no build of it is stored or deleted meanwhile. */
    runExclusive,

    /** Deletes the file of a build whose row was deleted. */
    deleteElf,

    ...createFirmwareQueries(db),

    findBuild: (wanted: WantedBuild): Promise<FoundBuild> => findBuild(db, wanted),

    ...createElfFiles({ db, blobs, lost, audit }),

    /**
     * Reads from a copy of its ELF what an earlier release did not store of a build: its chip, the version in the ELF,
     * and what it lacks. @returns the row as it is then
     */
    async examine(firmware: Firmware, path: string): Promise<Firmware> {
      if (firmware.warnings !== null) return firmware;
      return storeExamined(db, firmware, await examine(path, firmware.size), clock.now());
    },

    noteLostElf: lost.note,

    isElfThere: lost.isThere,

    /** Checks for missing ELFs. @param which see `LostElfs.check` */
    checkElfs: lost.check,

    countLostElfs: lost.count,

    /** Call this before the first upload. @param options see `sweepFirmware` */
    sweep: (options?: SweepOptions) => sweepFirmware({ db, blobs, clock, log }, options),
  };

  async function changeVersion(id: number, version: string | undefined) {
    return audit.change(async (tx, note) => {
      const before = await tx.firmware.findUnique({ where: { id }, include: { model: true } });
      if (before === null) throw notFound('firmware', id, { field: 'id' });
      const { model, ...build } = before;
      const isChanged = version !== undefined && version !== build.version;
      await note(onFirmware('updateFirmware', build, model.code, isChanged ? ` → ${version}` : ''));
      if (!isChanged) return { build, isChanged };
      const changed = await tx.firmware.update({ where: { id }, data: { version, updatedAt: clock.now() } });
      return { build: changed, isChanged };
    });
  }

  async function targetOf({ modelCode, ...stated }: Omit<FirmwareUpload, 'bundle'>): Promise<Target> {
    const statement = statementOf(stated);
    const model = await db.deviceModel.findUnique({ where: { code: modelCode } });
    if (model === null) throw notFound('device model', modelCode, { field: 'modelCode' });
    return { model, ...statement };
  }

  async function receive(
    bundle: FirmwareBundle,
    identify: (file: string) => Promise<Target>,
  ): Promise<Firmware> {
    const incoming = await receiveBundle(bundle, { blobs, maxBytes: maxFirmwareBytes });
    try {
      const target = await identify(await incoming.file());
      return await storeReceived(incoming, target).catch(naming('bundle'));
    } finally {
      await incoming.discard();
    }
  }

  async function storeReceived(
    incoming: IncomingBlob,
    { model, claims: stated, allowMismatch, revision }: Target,
  ): Promise<Firmware> {
    const { elf, claims } = await openBundle(incoming, {
      modelCode: model.code,
      maxElfBytes: maxFirmwareBytes * INFLATED_TIMES,
      blobs,
    });
    try {
      const examined = await examine(await elf.file(), elf.size);
      const version = labelOf([...stated, ...claims], examined.elfVersion, { allowMismatch });
      return await runExclusive(model.id, () => store(model, elf, { version, revision, ...examined }));
    } finally {
      await elf.discard();
    }
  }

  /** Blob first, then row: a row without its ELF would be useless. */
  async function store(model: Model, elf: IncomingBlob, labels: Labels): Promise<Firmware> {
    const elfSha256 = elf.sha256;
    const existing = await db.firmware.findFirst({ where: { modelId: model.id, elfSha256 } });
    if (existing !== null && existing.version !== labels.version) {
      throw conflict(
        `This ELF is already there as version "${existing.version}" of model "${model.code}": ` +
          `upload it with that version, or correct the version of that firmware (updateFirmware) first.`,
        { field: 'version' },
      );
    }
    const isNewBlob = await publish(elf, elfKey(model.code, elfSha256));
    const firmware =
      existing === null ? await insert(model, elf, labels) : await noteAgain(existing, model, labels);
    // Also if the ELF of an existing row was missing: dumps may have failed because of it.
    if (existing !== null && isNewBlob) await lost.isThere(firmware);
    if (existing === null || isNewBlob) await announce(firmware);
    return firmware;
  }

  /** Replaces an incomplete file. @returns false when a complete ELF exists */
  async function publish(elf: IncomingBlob, key: string): Promise<boolean> {
    if (await elf.publish(key)) return true;
    if ((await blobs.sizeOf(key)) === elf.size) return false;
    await blobs.delete(key);
    return elf.publish(key);
  }

  async function insert(model: Model, elf: IncomingBlob, labels: Labels): Promise<Firmware> {
    const build = { modelId: model.id, ...labels, elfSha256: elf.sha256, size: elf.size };
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
          // Keep the ELF: one without a row is removed by a later sweep, but a row without its ELF is a lost build.
          onUnknown: (reason) =>
            log.warn({ err: reason, modelId, elfSha256 }, 'it is not known whether a firmware was committed'),
        });
        // The builds that it retired are unknown: their ELFs stay until the next sweep.
        if (made !== null) return { firmware: made, retired: [] };
        // No other transaction can have inserted a row for this ELF.
        await deleteElf(model.code, build);
        throw error;
      },
    );
    for (const each of retired) await deleteElf(model.code, each);
    return firmware;
  }

  /**
   * A second upload of the same ELF changes nothing but a revision that was not known; the audit records it all the same.
   * Several commits may result in one ELF: the first stays.
   */
  async function noteAgain(
    existing: Firmware,
    model: Model,
    { version: _, revision, ...examined }: Labels,
  ): Promise<Firmware> {
    const noted = await audit.change(async (tx, note) => {
      await note(onFirmware('uploadFirmware', existing, model.code));
      if (revision === null || existing.revision !== null) return existing;
      const data = { revision, updatedAt: clock.now() };
      return tx.firmware.update({ where: { id: existing.id }, data });
    });
    return noted.warnings === null ? storeExamined(db, noted, examined, clock.now()) : noted;
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

  /** Best effort: the sweep at the next start removes a file that stays. */
  async function deleteElf(modelCode: string, { elfSha256 }: Pick<Firmware, 'elfSha256'>): Promise<void> {
    try {
      await blobs.delete(elfKey(modelCode, elfSha256));
    } catch (error) {
      log.warn({ err: error, modelCode, elfSha256 }, 'could not delete a firmware file');
    }
  }
}

type Model = { id: number; code: string };
type Labels = Pick<Firmware, 'version' | 'revision'> & Examined;

/** Every insertion starts with this, so no other transaction changes builds of this model before this one ends. */
async function lockModel(tx: DbTransaction, { id, code }: Model): Promise<void> {
  const { count } = await tx.deviceModel.updateMany({ where: { id }, data: { code } });
  if (count === 0) throw notFound('device model', code, { field: 'modelCode' });
}

function onFirmware(
  action: string,
  { id, version }: Pick<Firmware, 'id' | 'version'>,
  modelCode: string,
  change = '',
) {
  return {
    action,
    targetType: 'Firmware' as const,
    targetId: id,
    target: `${modelCode} ${version}${change}`,
  };
}

type Target = Statement & { model: Model };
