import { open } from 'node:fs/promises';
import { badInput, DomainError, naming, notFound } from '../errors.js';
import { isForOtherChip } from '../firmware/find-build.js';
import type { Db } from '../platform/database/types.js';
import { wholeRow } from '../platform/database/whole-rows.js';
import type { UnidentifiedUpload, UploadingDevice } from './ingest.js';
import { NAMES } from './kind.js';
import { PEEK_BYTES, peek } from './peek-dump.js';
import type { CoredumpRow } from './types.js';

/** A crash that a person files under a device. */
export interface HandedIn {
  body: AsyncIterable<Uint8Array>;
  /** The input that the bytes come from, for errors. */
  field: 'file' | 'text';
  /** One that does not exist by its serial is registered. */
  device: { id: number } | { modelCode: string; serial: string };
  /** Null: what the crash itself says, else the last boot report of the device, else "unknown". */
  chip: string | null;
  /** Null: that of the chosen build, else as for the chip. */
  firmwareVersion: string | null;
  /** The build that it is to be read with; null: it is found by the crash. */
  firmwareId: number | null;
}

export type HandIn = ReturnType<typeof createHandIn>;

/** Stores a crash that did not come from its device: from a file or a clipboard of a person. */
export function createHandIn({ db, coredumps, devices }: HandInDeps) {
  /**
   * The same bytes for the same device within ten minutes are one crash. What is nothing of a crash is refused, and
   * registers no device.
   *
   * @throws DomainError BAD_USER_INPUT, NOT_FOUND (device, model, build), FORBIDDEN (the device was rejected), and as
   *   `CoredumpService.save`
   */
  return async function handIn({
    body,
    field,
    device: wanted,
    firmwareId,
    ...told
  }: HandedIn): Promise<CoredumpRow> {
    // Before the bytes: a wrong device or build is known at once.
    const known = await findDevice(wanted);
    const build = firmwareId === null ? null : await findBuild(firmwareId, known);
    const { coredump } = await coredumps
      .saveUnidentified({
        body,
        async identify(file) {
          const peeked = peek(await headOf(file));
          if (typeof peeked === 'string') throw badInput(peeked, { field });
          const { kind, dumpChip, ownVersion } = peeked;
          if (build !== null && isForOtherChip(build, dumpChip)) {
            throw badInput(
              `The build is for the chip ${build.chip}, the crash is from ${dumpChip}: choose a build for that chip.`,
              { field: 'firmwareId' },
            );
          }
          const device = known.device ?? (await register(known));
          const what = NAMES[kind ?? 'CORE_DUMP'];
          return {
            device,
            ...(kind === null ? {} : { kind }),
            chip: told.chip ?? dumpChip,
            firmwareVersion: told.firmwareVersion ?? build?.version ?? ownVersion,
            chosenFirmwareId: build?.id ?? null,
            idempotencyKey: null,
            noteOf: ({ id, filename }, isDuplicate) => ({
              action: 'uploadCrash',
              targetType: 'Coredump',
              targetId: id,
              target: `${device.key}/${filename}`,
              detail: isDuplicate ? `${what}, which was there already` : what,
            }),
          };
        },
      })
      .catch(naming(field));
    return coredump;
  };

  async function findDevice(wanted: HandedIn['device']): Promise<Known> {
    if (!('id' in wanted)) {
      const { modelCode, serial } = wanted;
      const found = await devices.findBySerial(modelCode, serial);
      if (found === null) throw notFound('device model', modelCode, { field: 'modelCode' });
      return { serial, modelId: found.modelId, modelCode: found.modelCode, device: found.device };
    }
    const model = { select: { code: true } } as const;
    const row = wholeRow(
      await db.device.findUnique({
        where: { id: wanted.id },
        select: { id: true, key: true, modelId: true, model },
      }),
      'model',
    );
    if (row === null) throw notFound('device', wanted.id, { field: 'deviceId' });
    const { id, key, modelId } = row;
    const modelCode = row.model.code;
    return { serial: null, modelId, modelCode, device: { id, key, modelId, modelCode } };
  }

  /** It gets no token: the people who file its crashes have their own. */
  async function register({ modelCode, serial }: Known): Promise<UploadingDevice> {
    await devices
      .createDevices({ modelCode, devices: [{ serial }], withTokens: false })
      .catch((error: unknown) => {
        // Somebody registered it a moment ago; or its serial is none.
        if (!(error instanceof DomainError)) throw error;
        if (error.code !== 'CONFLICT') throw badInput(error.message, { field: 'serial' });
      });
    const found = await devices.findBySerial(modelCode, serial ?? '');
    if (found?.device == null) throw notFound('device', serial ?? '', { field: 'serial' });
    return found.device;
  }

  async function findBuild(id: number, { modelId, modelCode }: Known) {
    const build = await db.firmware.findUnique({
      where: { id },
      select: { id: true, modelId: true, version: true, chip: true },
    });
    if (build === null) throw notFound('firmware', id, { field: 'firmwareId' });
    if (build.modelId === modelId) return build;
    throw badInput(`The build is not of model "${modelCode}", the device’s: choose a build of that model.`, {
      field: 'firmwareId',
    });
  }
}

interface Known {
  serial: string | null;
  modelId: number;
  modelCode: string;
  /** Null: it is not registered yet. */
  device: UploadingDevice | null;
}

interface HandInDeps {
  db: Db;
  coredumps: { saveUnidentified(upload: UnidentifiedUpload): Promise<{ coredump: CoredumpRow }> };
  devices: {
    /** Null when there is no such model. */
    findBySerial(
      modelCode: string,
      serial: string,
    ): Promise<{ modelId: number; modelCode: string; device: UploadingDevice | null } | null>;
    createDevices(request: {
      modelCode: string;
      devices: Array<{ serial: string | null }>;
      withTokens: boolean;
    }): Promise<unknown>;
  };
}

async function headOf(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.min(size, PEEK_BYTES));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
