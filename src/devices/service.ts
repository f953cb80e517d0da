import type { AuditNote } from '../audit/service.js';
import { randomToken, sha256 } from '../auth/static-tokens.js';
import type { CoredumpService } from '../coredumps/service.js';
import { badInput, notFound } from '../errors.js';
import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import { createDeviceCreation } from './create-devices.js';
import { createDeviceIdentities } from './identities.js';
import { createModelService } from './models.js';
import { conflictWhenTaken, requireName, requireSerial } from './names.js';
import { createDeviceQueries } from './read.js';
import type { TokenUse } from './token-use.js';
import { hasToken, revokedToken } from './tokens.js';
import type { DeviceRow } from './types.js';

export type DeviceService = ReturnType<typeof createDeviceService>;

/** Models and devices: their names, and the tokens with which devices upload. */
export function createDeviceService({ tokenUse, dumps, countKept, ...deps }: DeviceServiceDeps) {
  const { db, clock, audit } = deps;
  return {
    ...createDeviceQueries(db),
    ...createModelService(deps),

    ...createDeviceCreation(deps),
    ...createDeviceIdentities({ db, clock, tokenUse }),

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
        // A device without a token has no previous one that could stay valid.
        ...(graceSeconds === 0 || !hasToken(tokenSha256)
          ? NO_PREVIOUS_TOKEN
          : { previousTokenSha256: tokenSha256, previousTokenUntil: until }),
      }));
      return { device, token };
    },

    /**
     * Revokes the device's tokens at once; `rotateToken` issues a new one. Ingest keys are refused for the device too, so
     * that the key which all devices share does not undo it.
     *
     * @throws DomainError NOT_FOUND
     */
    revokeToken: (id: number): Promise<DeviceRow> =>
      change('revokeDeviceToken', id, () => ({
        ...NO_PREVIOUS_TOKEN,
        tokenSha256: revokedToken(),
      })),

    /**
     * Absent fields stay unchanged; a name or serial of null is removed.
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT, CONFLICT (the model has a device with the serial)
     */
    async updateDevice(
      id: number,
      { name, serial, modelCode }: { name?: string | null; serial?: string | null; modelCode?: string },
    ): Promise<DeviceRow> {
      if (typeof name === 'string') requireName(name);
      if (typeof serial === 'string') requireSerial(serial);
      const model =
        modelCode === undefined
          ? undefined
          : await db.deviceModel.findUnique({ where: { code: modelCode }, select: { id: true } });
      if (model === null) throw notFound('device model', modelCode ?? '', { field: 'modelCode' });
      return change('updateDevice', id, () => ({
        ...(name === undefined ? {} : { name }),
        ...(serial === undefined ? {} : { serial }),
        ...(model === undefined ? {} : { modelId: model.id }),
      })).catch(
        typeof serial === 'string'
          ? conflictWhenTaken('serial', `The model already has a device with the serial "${serial}".`)
          : conflictWhenTaken('modelCode', 'That model already has a device with the serial of this one.'),
      );
    },

    /**
     * Accepts a device that an ingest key registered, or one that was rejected. Its kept crashes are counted.
     * @throws DomainError NOT_FOUND
     */
    async approveDevice(id: number): Promise<DeviceRow> {
      let announce = () => {};
      const device = await change(
        'approveDevice',
        id,
        () => ({ approval: 'APPROVED' }),
        async (tx, approved) => {
          announce = await countKept(tx, approved);
        },
      );
      announce();
      return device;
    },

    /** Its uploads are refused from now on, whatever its credentials. @throws DomainError NOT_FOUND */
    rejectDevice: (id: number): Promise<DeviceRow> =>
      change('rejectDevice', id, () => ({ approval: 'REJECTED' })),

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
  };

  async function change(
    action: string,
    id: number,
    dataOf: (before: DeviceRow) => Prisma.DeviceUncheckedUpdateManyInput,
    also: (tx: DbTransaction, device: DeviceRow) => Promise<void> = async () => {},
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
      await also(tx, device);
      await note(onDevice(action, device));
      return device;
    });
  }
}

type DeviceServiceDeps = Parameters<typeof createModelService>[0] & {
  tokenUse: Pick<TokenUse, 'note' | 'noteIngestKey'>;
  dumps: Pick<CoredumpService, 'deleteRowsOf' | 'deleteFiles'>;
  /** Counts the dumps of a device that was approved in the transaction. @returns what to call after the commit */
  countKept: (tx: DbTransaction, device: { id: number; modelId: number }) => Promise<() => void>;
};

/** One day, so that a device in use can receive its new token with its next report. */
const DEFAULT_GRACE_SECONDS = 24 * 60 * 60;
const MAX_GRACE_SECONDS = 30 * DEFAULT_GRACE_SECONDS;
const NO_PREVIOUS_TOKEN = { previousTokenSha256: null, previousTokenUntil: null };

function onDevice(action: string, { id, key }: Pick<DeviceRow, 'id' | 'key'>): AuditNote {
  return { action, targetType: 'Device', targetId: id, target: key };
}
