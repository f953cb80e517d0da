import { randomInt } from 'node:crypto';
import type { DeviceIdentity } from '../auth/principal.js';
import { randomToken, sha256 } from '../auth/static-tokens.js';
import { badInput, conflict, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { type Db, Prisma } from '../platform/database/database.js';
import { isUniqueViolation } from '../platform/database/errors.js';
import { inTransaction } from '../platform/database/transaction.js';

type DeviceModelRow = Prisma.DeviceModelGetPayload<object>;
type DeviceRow = Prisma.DeviceGetPayload<object>;

export type DeviceService = ReturnType<typeof createDeviceService>;

/** Models and devices: who may upload, and what they are called. */
export function createDeviceService({ db, clock, deleteDumps }: DeviceServiceDeps) {
  return {
    /** @throws DomainError BAD_USER_INPUT, CONFLICT */
    async createModel({ code, name }: { code: string; name: string }): Promise<DeviceModelRow> {
      if (!/^[a-z0-9_]{1,32}$/.test(code)) throw badInput('A model code is 1 to 32 of a-z, 0-9 and "_".');
      requireName(name);
      return db.deviceModel
        .create({ data: { code, name, createdAt: clock.now() } })
        .catch(conflictWhenTaken(`There is already a model with the code "${code}".`));
    },

    /**
     * @param key generated when absent
     * @returns the device and its token, which is shown this once: only its hash is kept
     * @throws DomainError BAD_USER_INPUT, NOT_FOUND (model), CONFLICT
     */
    async createDevice({
      modelCode,
      key = randomKey(),
      name = null,
    }: NewDevice): Promise<{ device: DeviceRow; token: string }> {
      if (!/^[a-z0-9]{1,32}$/.test(key)) throw badInput('A device key is 1 to 32 of a-z and 0-9.');
      if (name !== null) requireName(name);
      const model = await db.deviceModel.findUnique({ where: { code: modelCode }, select: { id: true } });
      if (model === null) throw notFound('device model', modelCode);
      const token = randomToken();
      const now = clock.now();
      const device = await db.device
        .create({
          data: { key, name, modelId: model.id, tokenSha256: sha256(token), createdAt: now, updatedAt: now },
        })
        .catch(
          conflictWhenTaken(
            `There is already a device with the key "${key}"; choose another, or leave it out.`,
          ),
        );
      return { device, token };
    },

    /** A new token; the old one ends at once. @throws DomainError NOT_FOUND */
    async rotateToken(id: number): Promise<{ device: DeviceRow; token: string }> {
      const token = randomToken();
      return { device: await change(id, { tokenSha256: sha256(token) }), token };
    },

    /** What is absent stays as it is; a name of null is removed. @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    async updateDevice(
      id: number,
      { name, modelCode }: { name?: string | null; modelCode?: string },
    ): Promise<DeviceRow> {
      if (typeof name === 'string') requireName(name);
      const model =
        modelCode === undefined
          ? undefined
          : await db.deviceModel.findUnique({ where: { code: modelCode }, select: { id: true } });
      if (model === null) throw notFound('device model', modelCode ?? '');
      return change(id, {
        ...(name === undefined ? {} : { name }),
        ...(model === undefined ? {} : { modelId: model.id }),
      });
    },

    /** With its dumps, rows and files. @throws DomainError NOT_FOUND */
    async deleteDevice(id: number): Promise<void> {
      await deleteDumps(id);
      const { count } = await inTransaction(db, (tx) => tx.device.deleteMany({ where: { id } }));
      if (count === 0) throw notFound('device', id);
    },

    async findByKey(key: string): Promise<DeviceIdentity | null> {
      return identify(Prisma.sql`d."key" = ${key}`);
    },

    /** The token itself is looked up by its hash, so comparing it takes no time that tells anything. */
    async findByToken(token: string): Promise<DeviceIdentity | null> {
      return identify(Prisma.sql`d."tokenSha256" = ${sha256(token)}`);
    },
  };

  /** Once an upload, so in one statement with its model. */
  async function identify(condition: Prisma.Sql): Promise<DeviceIdentity | null> {
    const [device] = await db.lookup<DeviceIdentity>(Prisma.sql`
      SELECT d."id", d."key", d."modelId", m."code" AS "modelCode"
      FROM "Device" d JOIN "DeviceModel" m ON m."id" = d."modelId" WHERE ${condition}`);
    return device ?? null;
  }

  async function change(id: number, data: Prisma.DeviceUncheckedUpdateManyInput): Promise<DeviceRow> {
    const [device] = await db.device.updateManyAndReturn({
      where: { id },
      data: { ...data, updatedAt: clock.now() },
    });
    if (device === undefined) throw notFound('device', id);
    return device;
  }
}

interface DeviceServiceDeps {
  db: Db;
  clock: Clock;
  deleteDumps: (deviceId: number) => Promise<number>;
}

interface NewDevice {
  modelCode: string;
  key?: string;
  name?: string | null;
}

const KEY_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

function randomKey(): string {
  return Array.from({ length: 8 }, () => KEY_ALPHABET[randomInt(KEY_ALPHABET.length)]).join('');
}

function requireName(name: string): void {
  if (name.trim() === '' || name.length > 200) throw badInput('A name is 1 to 200 characters.');
}

function conflictWhenTaken(message: string) {
  return (error: unknown): never => {
    throw isUniqueViolation(error) ? conflict(message) : error;
  };
}
