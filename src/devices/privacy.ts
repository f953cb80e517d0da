import type { Audit } from '../audit/service.js';
import { badInput, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import type { DeviceModelRow } from './types.js';

/** How long the raw dumps of a model's devices are kept, and who may download them. */
export interface Privacy {
  /** The raw bytes are removed as soon as the dump is PARSED. */
  removeRawOnceRead: boolean;
  /** They are removed after this many days, parsed or not. */
  keepRawDays: number | null;
  /** Only admins may download them. */
  rawForAdminsOnly: boolean;
}

export type PrivacyService = ReturnType<typeof createPrivacyService>;

/** Settings of a model for which nothing was set. */
const OPEN: Privacy = { removeRawOnceRead: false, keepRawDays: null, rawForAdminsOnly: false };
const MAX_DAYS = 36_500;

export function createPrivacyService({ db, clock, audit, onChange }: PrivacyDeps) {
  return {
    /** Absent fields stay unchanged. @throws DomainError NOT_FOUND (model), BAD_USER_INPUT */
    async set(modelCode: string, changes: Partial<Privacy>): Promise<DeviceModelRow> {
      const days = changes.keepRawDays;
      if (typeof days === 'number' && (days < 1 || days > MAX_DAYS)) {
        throw badInput(`keepRawDays is 1 to ${MAX_DAYS}, or null to keep raw dumps.`, {
          field: 'keepRawDays',
        });
      }
      const model = await db.deviceModel.findUnique({ where: { code: modelCode } });
      if (model === null) throw notFound('device model', modelCode, { field: 'modelCode' });
      const changed = await audit.change(async (tx, note) => {
        const [row] = await tx.deviceModel.updateManyAndReturn({
          where: { id: model.id },
          data: { updatedAt: clock.now() },
        });
        if (row === undefined) throw notFound('device model', modelCode, { field: 'modelCode' });
        await tx.modelPrivacy.upsert({
          where: { modelId: model.id },
          create: { modelId: model.id, ...OPEN, ...changes },
          update: changes,
        });
        const target = `${modelCode}: ${JSON.stringify(changes)}`;
        await note({ action: 'setModelPrivacy', targetType: 'DeviceModel', targetId: model.id, target });
        return row;
      });
      onChange();
      return changed;
    },
  };
}

export function createPrivacyLoader(db: Db) {
  return new DataLoader<number, Privacy>(async (modelIds) => {
    const rows = await db.modelPrivacy.findMany({ where: { modelId: { in: [...modelIds] } } });
    const byModel = new Map(rows.map((row) => [row.modelId, row]));
    return modelIds.map((id) => byModel.get(id) ?? OPEN);
  });
}

interface PrivacyDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
  /** Called after each change, to remove what is due now. */
  onChange: () => void;
}
