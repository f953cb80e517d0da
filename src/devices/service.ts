import { randomInt } from 'node:crypto';
import type { AuditNote } from '../audit/service.js';
import type { DeviceIdentity } from '../auth/principal.js';
import { randomToken, sha256 } from '../auth/static-tokens.js';
import type { CoredumpService } from '../coredumps/service.js';
import { badInput, notFound } from '../errors.js';
import { Prisma } from '../platform/database/client.js';
import { conflictWhenTaken, createModelService, requireName } from './models.js';
import { createDeviceQueries } from './read.js';
import type { TokenUse } from './token-use.js';
import type { DeviceRow } from './types.js';

export type DeviceService = ReturnType<typeof createDeviceService>;

/** Models and devices: their names, and the tokens with which devices upload. */
export function createDeviceService({ tokenUse, dumps, ...deps }: DeviceServiceDeps) {
  const { db, clock, audit } = deps;
  return {
    ...createDeviceQueries(db),
    ...createModelService(deps),

    /**
     * @param key generated if absent
     * @returns the device and its token; the token is returned only this once, because only its hash is stored
     * @throws DomainError BAD_USER_INPUT, NOT_FOUND (model), CONFLICT
     */
    async createDevice({
      modelCode,
      key = randomKey(),
      name = null,
    }: NewDevice): Promise<{ device: DeviceRow; token: string }> {
      if (!/^[a-z0-9]{1,32}$/.test(key))
        throw badInput('A device key is 1 to 32 of a-z and 0-9.', { field: 'key' });
      if (name !== null) requireName(name);
      const model = await db.deviceModel.findUnique({ where: { code: modelCode }, select: { id: true } });
      if (model === null) throw notFound('device model', modelCode, { field: 'modelCode' });
      const token = randomToken();
      const now = clock.now();
      const columns = {
        key,
        name,
        modelId: model.id,
        tokenSha256: sha256(token),
        createdAt: now,
        updatedAt: now,
      };
      const device = await audit
        .change(async (tx, note) => {
          const made = await tx.device.create({ data: columns });
          await note(onDevice('createDevice', made));
          return made;
        })
        .catch(
          conflictWhenTaken(
            'key',
            `There is already a device with the key "${key}"; choose another, or omit it.`,
          ),
        );
      return { device, token };
    },

    /**
     * Issues a new token. The previous one stays valid for `graceSeconds`, so that a device can receive the new token
     * over a connection that uses the old one; older tokens become invalid at once.
     *
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT
     */
    async rotateToken(
      id: number,
      graceSeconds = DEFAULT_GRACE_SECONDS,
    ): Promise<{ device: DeviceRow; token: string }> {
      if (graceSeconds < 0 || graceSeconds > MAX_GRACE_SECONDS) {
        throw badInput(`graceSeconds is 0 to ${MAX_GRACE_SECONDS} (30 days).`, { field: 'graceSeconds' });
      }
      const token = randomToken();
      const until = new Date(clock.now().getTime() + graceSeconds * 1000);
      const device = await change('rotateDeviceToken', id, ({ tokenSha256 }) => ({
        tokenSha256: sha256(token),
        // A device whose token was revoked has no previous token that could stay valid.
        ...(graceSeconds === 0 || isRevoked(tokenSha256)
          ? NO_PREVIOUS_TOKEN
          : { previousTokenSha256: tokenSha256, previousTokenUntil: until }),
      }));
      return { device, token };
    },

    /** Revokes the device's tokens at once; `rotateToken` issues a new one. @throws DomainError NOT_FOUND */
    revokeToken: (id: number): Promise<DeviceRow> =>
      change('revokeDeviceToken', id, () => ({
        ...NO_PREVIOUS_TOKEN,
        // Not a digest, so no token matches it; and unique, as the column requires.
        tokenSha256: `${REVOKED}${randomToken()}`,
      })),

    /** Absent fields stay unchanged; a name of null is removed. @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    async updateDevice(
      id: number,
      { name, modelCode }: { name?: string | null; modelCode?: string },
    ): Promise<DeviceRow> {
      if (typeof name === 'string') requireName(name);
      const model =
        modelCode === undefined
          ? undefined
          : await db.deviceModel.findUnique({ where: { code: modelCode }, select: { id: true } });
      if (model === null) throw notFound('device model', modelCode ?? '', { field: 'modelCode' });
      return change('updateDevice', id, () => ({
        ...(name === undefined ? {} : { name }),
        ...(model === undefined ? {} : { modelId: model.id }),
      }));
    },

    /**
     * Deletes the device with its dumps, rows and files, also while it uploads. Dumps committed before the lock are
     * deleted here; a later commit finds no device and deletes its own file.
     *
     * @throws DomainError NOT_FOUND
     */
    async deleteDevice(id: number): Promise<void> {
      const { key, deleted } = await audit.removal(async (tx, note) => {
        const [device] = await tx.device.updateManyAndReturn({
          where: { id },
          data: { updatedAt: clock.now() },
        });
        if (device === undefined) throw notFound('device', id, { field: 'id' });
        const rows = await dumps.deleteRowsOf(tx, id);
        await tx.device.deleteMany({ where: { id } });
        const target = `${rows.length} of ${device.key}`;
        await note({ action: 'deleteCoredumps', targetType: 'Device', targetId: id, target });
        await note(onDevice('deleteDevice', device));
        return { key: device.key, deleted: rows };
      });
      await dumps.deleteFiles(key, deleted);
    },

    async findByKey(key: string): Promise<DeviceIdentity | null> {
      return identify(Prisma.sql`d."key" = ${key}`);
    },

    /** The token is looked up by its hash, so the duration of the comparison reveals nothing. */
    async findByToken(token: string): Promise<DeviceIdentity | null> {
      const hash = sha256(token);
      const device =
        (await identify(Prisma.sql`d."tokenSha256" = ${hash}`)) ?? (await identifyByPreviousToken(hash));
      if (device !== null) tokenUse.note(device.id);
      return device;
    },
  };

  /** Runs with every upload, so it reads device and model in one statement. */
  async function identify(condition: Prisma.Sql): Promise<DeviceIdentity | null> {
    const [device] = await db.lookup<DeviceIdentity>(Prisma.sql`
      SELECT d."id", d."key", d."modelId", m."code" AS "modelCode"
      FROM "Device" d JOIN "DeviceModel" m ON m."id" = d."modelId" WHERE ${condition}`);
    return device ?? null;
  }

  async function identifyByPreviousToken(previousTokenSha256: string): Promise<DeviceIdentity | null> {
    const device = await db.device.findFirst({
      where: { previousTokenSha256, previousTokenUntil: { gt: clock.now() } },
      select: { id: true },
    });
    return device === null ? null : identify(Prisma.sql`d."id" = ${device.id}`);
  }

  async function change(
    action: string,
    id: number,
    dataOf: (before: DeviceRow) => Prisma.DeviceUncheckedUpdateManyInput,
  ): Promise<DeviceRow> {
    return audit.change(async (tx, note) => {
      // A write first: it locks the device, so what is read next stays true.
      const [before] = await tx.device.updateManyAndReturn({
        where: { id },
        data: { updatedAt: clock.now() },
      });
      if (before === undefined) throw notFound('device', id, { field: 'id' });
      const [device] = await tx.device.updateManyAndReturn({ where: { id }, data: dataOf(before) });
      if (device === undefined) throw notFound('device', id, { field: 'id' });
      await note(onDevice(action, device));
      return device;
    });
  }
}

type DeviceServiceDeps = Parameters<typeof createModelService>[0] & {
  tokenUse: Pick<TokenUse, 'note'>;
  dumps: Pick<CoredumpService, 'deleteRowsOf' | 'deleteFiles'>;
};

interface NewDevice {
  modelCode: string;
  key?: string;
  name?: string | null;
}

/** One day, so that a device in use can receive its new token with its next report. */
const DEFAULT_GRACE_SECONDS = 24 * 60 * 60;
const MAX_GRACE_SECONDS = 30 * DEFAULT_GRACE_SECONDS;
const NO_PREVIOUS_TOKEN = { previousTokenSha256: null, previousTokenUntil: null };
const REVOKED = 'revoked:';

/** @param tokenSha256 the value in the row */
export function isRevoked(tokenSha256: string): boolean {
  return tokenSha256.startsWith(REVOKED);
}

function onDevice(action: string, { id, key }: Pick<DeviceRow, 'id' | 'key'>): AuditNote {
  return { action, targetType: 'Device', targetId: id, target: key };
}

const KEY_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

function randomKey(): string {
  return Array.from({ length: 8 }, () => KEY_ALPHABET[randomInt(KEY_ALPHABET.length)]).join('');
}
