import type { Audit } from '../audit/service.js';
import { randomToken, sha256 } from '../auth/static-tokens.js';
import { badInput, conflict, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { isUniqueViolation } from '../platform/database/errors.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { randomKey, requireKey, requireName, requireSerial } from './names.js';
import { absentToken } from './tokens.js';
import type { DeviceRow } from './types.js';

/** Devices in one call of `createDevices`. */
export const MAX_NEW_DEVICES = 200;

export interface NewDevice {
  /** Generated if absent. */
  key?: string;
  serial?: string | null;
  name?: string | null;
}

/** `token` is returned only this once, because only its hash is stored; null for a device that is to use an ingest key. */
export interface CreatedDevice<Token = string | null> {
  device: DeviceRow;
  token: Token;
}

/** Registers devices for people and programs; `registration.ts` is for devices that register themselves. */
export function createDeviceCreation({ db, clock, audit }: DeviceCreationDeps) {
  return {
    /** @throws DomainError BAD_USER_INPUT, NOT_FOUND (model), CONFLICT */
    async createDevice({
      modelCode,
      ...device
    }: NewDevice & { modelCode: string }): Promise<CreatedDevice<string>> {
      const token = randomToken();
      const [made] = await create('createDevice', modelCode, [{ ...device, token }], (field) => field);
      if (made === undefined) throw new Error('the database answered no row for a new device');
      return { device: made.device, token };
    },

    /**
     * Registers all of them or none. Errors name the first wrong one: `devices.3.serial`.
     * @throws DomainError BAD_USER_INPUT, NOT_FOUND (model), CONFLICT
     */
    async createDevices({
      modelCode,
      devices,
      withTokens = true,
    }: {
      modelCode: string;
      devices: readonly NewDevice[];
      withTokens?: boolean;
    }): Promise<CreatedDevice[]> {
      if (devices.length === 0 || devices.length > MAX_NEW_DEVICES) {
        throw badInput(`Give 1 to ${MAX_NEW_DEVICES} devices at once; these are ${devices.length}.`, {
          field: 'devices',
        });
      }
      const all = devices.map((device) => ({ ...device, token: withTokens ? randomToken() : null }));
      return create('createDevices', modelCode, all, (field, index) => `devices.${index}.${field}`);
    },
  };

  async function create(
    action: string,
    modelCode: string,
    devices: ReadonlyArray<NewDevice & { token: string | null }>,
    fieldOf: FieldOf,
  ): Promise<CreatedDevice[]> {
    const now = clock.now();
    const wanted = devices.map(({ key = randomKey(), serial = null, name = null, token }, index) => {
      requireKey(key, fieldOf('key', index));
      if (serial !== null) requireSerial(serial, fieldOf('serial', index));
      if (name !== null) requireName(name, fieldOf('name', index));
      return { key, serial, name, token };
    });
    refuseRepeated(wanted, fieldOf);
    const model = await db.deviceModel.findUnique({ where: { code: modelCode }, select: { id: true } });
    if (model === null) throw notFound('device model', modelCode, { field: 'modelCode' });
    const rows = wanted.map(({ token, ...columns }) => ({
      ...columns,
      modelId: model.id,
      tokenSha256: token === null ? absentToken() : sha256(token),
      createdAt: now,
      updatedAt: now,
    }));
    const made = await audit
      .change(async (tx, note) => {
        await refuseTaken(tx, rows, fieldOf);
        const created = await tx.device.createManyAndReturn({ data: rows });
        await note(
          ...created.map(({ id, key }) => ({
            action,
            targetType: 'Device' as const,
            targetId: id,
            target: key,
          })),
        );
        return created;
      })
      .catch(async (error: unknown) => {
        // Another request took one of them after the look.
        if (isUniqueViolation(error)) await refuseTaken(db, rows, fieldOf);
        throw error;
      });
    const byKey = new Map(made.map((device) => [device.key, device]));
    return wanted.flatMap(({ key, token }) => {
      const device = byKey.get(key);
      return device === undefined ? [] : [{ device, token }];
    });
  }
}

interface DeviceCreationDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
}

type FieldOf = (field: string, index: number) => string;

interface Names {
  key: string;
  serial: string | null;
}

/** @throws DomainError BAD_USER_INPUT */
function refuseRepeated(devices: readonly Names[], fieldOf: FieldOf): void {
  for (const name of ['key', 'serial'] as const) {
    const seen = new Set<string>();
    devices.forEach((device, index) => {
      const value = device[name];
      if (value === null) return;
      if (seen.has(value)) {
        throw badInput(`The ${name} "${value}" is in the list twice.`, { field: fieldOf(name, index) });
      }
      seen.add(value);
    });
  }
}

/** @throws DomainError CONFLICT */
async function refuseTaken(
  db: Db | DbTransaction,
  devices: ReadonlyArray<Names & { modelId: number }>,
  fieldOf: FieldOf,
): Promise<void> {
  const modelId = devices[0]?.modelId ?? 0;
  const taken = await db.device.findMany({
    where: {
      OR: [
        { key: { in: devices.map(({ key }) => key) } },
        { modelId, serial: { in: devices.flatMap(({ serial }) => (serial === null ? [] : [serial])) } },
      ],
    },
    select: { key: true, serial: true, modelId: true },
  });
  devices.forEach(({ key, serial }, index) => {
    if (taken.some((other) => other.key === key)) {
      throw conflict(`There is already a device with the key "${key}"; choose another, or omit it.`, {
        field: fieldOf('key', index),
      });
    }
    if (serial !== null && taken.some((other) => other.modelId === modelId && other.serial === serial)) {
      throw conflict(`The model already has a device with the serial "${serial}".`, {
        field: fieldOf('serial', index),
      });
    }
  });
}
