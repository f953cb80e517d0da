import type { Audit, AuditNote } from '../audit/service.js';
import { badInput, conflict, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { conflictWhenTaken, requireName } from './names.js';
import type { DeviceModelRow } from './types.js';

/** Changes of models. */
export function createModelService({ db, clock, audit, builds, rules }: ModelServiceDeps) {
  return {
    /** @throws DomainError BAD_USER_INPUT, CONFLICT */
    async createModel({ code, name }: { code: string; name: string }): Promise<DeviceModelRow> {
      if (!/^[a-z0-9_]{1,32}$/.test(code))
        throw badInput('A model code is 1 to 32 of a-z, 0-9 and "_".', { field: 'code' });
      requireName(name);
      const now = clock.now();
      return audit
        .change(async (tx, note) => {
          const model = await tx.deviceModel.create({ data: { code, name, createdAt: now, updatedAt: now } });
          await note(onModel('createDeviceModel', model));
          return model;
        })
        .catch(conflictWhenTaken('code', `There is already a model with the code "${code}".`));
    },

    /** @throws DomainError BAD_USER_INPUT, NOT_FOUND */
    async updateModel(id: number, { name }: { name: string }): Promise<DeviceModelRow> {
      requireName(name);
      return audit.change(async (tx, note) => {
        const [model] = await tx.deviceModel.updateManyAndReturn({
          where: { id },
          data: { name, updatedAt: clock.now() },
        });
        if (model === undefined) throw notFound('device model', id, { field: 'id' });
        await note(onModel('updateDeviceModel', model));
        return model;
      });
    },

    /**
     * Deletes a model without devices: its builds, rows and files, and its privacy settings. Its alert rules are switched
     * off, because a rule without a model would match all models. Crashes of devices that it had stay counted.
     *
     * A device that is created meanwhile refers to the model: the transaction fails, is repeated, and finds the device.
     *
     * @throws DomainError NOT_FOUND, CONFLICT while it has devices
     */
    async deleteModel(id: number): Promise<void> {
      const model = await db.deviceModel.findUnique({ where: { id }, select: { code: true } });
      if (model === null) throw notFound('device model', id, { field: 'id' });
      await builds.runExclusive(id, async () => {
        const deleted = await audit.removal(async (tx, note) => {
          const [locked] = await tx.deviceModel.updateManyAndReturn({
            where: { id },
            data: { updatedAt: clock.now() },
          });
          if (locked === undefined) throw notFound('device model', id, { field: 'id' });
          await assertUnused(tx, locked);
          await rules.switchOffOfModel(tx, id);
          const elfs = await tx.firmware.findMany({ where: { modelId: id }, select: { elfSha256: true } });
          await tx.firmware.deleteMany({ where: { modelId: id } });
          await tx.deviceModel.deleteMany({ where: { id } });
          if (elfs.length > 0) {
            const target = `${elfs.length} of ${locked.code}`;
            await note({ action: 'deleteFirmware', targetType: 'DeviceModel', targetId: id, target });
          }
          await note(onModel('deleteDeviceModel', locked));
          return elfs;
        });
        for (const elf of deleted) await builds.deleteElf(model.code, elf);
      });
    },
  };
}

interface ModelServiceDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change' | 'removal'>;
  builds: {
    /** No upload or deletion of a build of the model runs during `work`. */
    runExclusive<T>(modelId: number, work: () => Promise<T>): Promise<T>;
    /** Best effort. */
    deleteElf(modelCode: string, build: { elfSha256: string }): Promise<void>;
  };
  rules: { switchOffOfModel(tx: DbTransaction, modelId: number): Promise<void> };
}

/** @throws DomainError CONFLICT */
async function assertUnused(tx: DbTransaction, { id, code }: { id: number; code: string }): Promise<void> {
  const count = await tx.device.count({ where: { modelId: id } });
  if (count === 0) return;
  const devices = count === 1 ? '1 device' : `${count} devices`;
  throw conflict(
    `The model "${code}" still has ${devices}: delete them, or move them to another model, and try again.`,
    { field: 'id' },
  );
}

function onModel(action: string, { id, code }: Pick<DeviceModelRow, 'id' | 'code'>): AuditNote {
  return { action, targetType: 'DeviceModel', targetId: id, target: code };
}
