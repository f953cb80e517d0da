import type { Audit, AuditNote } from '../audit/service.js';
import { currentActor } from '../auth/actor.js';
import { newIngestKey } from '../auth/ingest-key-token.js';
import { sha256 } from '../auth/static-tokens.js';
import { badInput, conflict, notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { PageWindow } from '../platform/database/children.js';
import type { Db } from '../platform/database/types.js';
import { requireName } from './names.js';
import type { IngestKeyFilter, IngestKeyRow } from './types.js';

export type IngestKeyQueries = ReturnType<typeof createIngestKeyQueries>;
export type IngestKeyService = ReturnType<typeof createIngestKeyService>;

const HINT_LENGTH = 4;

const DEFAULT_NEW_DEVICES_PER_HOUR = 100;
const MAX_NEW_DEVICES_PER_HOUR = 1_000_000;
/** Keys of a model that are not revoked. */
const MAX_KEYS = 100;

export function createIngestKeyQueries(db: Db) {
  return {
    /** Newest first. */
    async list(
      filter: IngestKeyFilter,
      { take, beforeId, afterId, fromEnd }: PageWindow,
    ): Promise<IngestKeyRow[]> {
      const bounds = {
        ...(beforeId === undefined ? {} : { lt: beforeId }),
        ...(afterId === undefined ? {} : { gt: afterId }),
      };
      const rows = await db.ingestKey.findMany({
        where: { AND: [ofModel(filter), { id: bounds }] },
        orderBy: { id: fromEnd === true ? 'asc' : 'desc' },
        take,
      });
      return fromEnd === true ? rows.reverse() : rows;
    },
    count: (filter: IngestKeyFilter): Promise<number> => db.ingestKey.count({ where: ofModel(filter) }),
  };
}

/** One credential for a whole product: devices register themselves with it. */
export function createIngestKeyService({ db, clock, audit }: IngestKeyDeps) {
  return {
    ...createIngestKeyQueries(db),

    /**
     * @returns the key too, only this once: its hash is stored
     * @throws DomainError BAD_USER_INPUT, NOT_FOUND (model), CONFLICT (too many keys)
     */
    async create({
      modelCode,
      name,
      newDevicesPerHour = DEFAULT_NEW_DEVICES_PER_HOUR,
      requiresApproval = false,
    }: NewIngestKey): Promise<{ ingestKey: IngestKeyRow; key: string }> {
      requireName(name);
      if (newDevicesPerHour < 1 || newDevicesPerHour > MAX_NEW_DEVICES_PER_HOUR) {
        throw badInput(`newDevicesPerHour is 1 to ${MAX_NEW_DEVICES_PER_HOUR}.`, {
          field: 'newDevicesPerHour',
        });
      }
      const key = newIngestKey();
      const now = clock.now();
      const ingestKey = await audit.change(async (tx, note) => {
        // A write first: it locks the model, so that what is counted next stays true.
        const [model] = await tx.deviceModel.updateManyAndReturn({
          where: { code: modelCode },
          data: { updatedAt: now },
        });
        if (model === undefined) throw notFound('device model', modelCode, { field: 'modelCode' });
        if ((await tx.ingestKey.count({ where: { modelId: model.id, revokedAt: null } })) >= MAX_KEYS) {
          throw conflict(`The model has ${MAX_KEYS} ingest keys: revoke some of them first.`, {
            field: 'modelCode',
          });
        }
        const row = await tx.ingestKey.create({
          data: {
            modelId: model.id,
            name,
            keySha256: sha256(key),
            hint: key.slice(-HINT_LENGTH),
            newDevicesPerHour,
            requiresApproval,
            createdAt: now,
            createdBy: currentActor()?.person.name ?? 'coredock',
          },
        });
        const approval = requiresApproval ? ', with approval' : '';
        const detail = `for ${modelCode}, ${newDevicesPerHour} new devices an hour${approval}`;
        await note({ ...onKey('createIngestKey', row), detail });
        return row;
      });
      return { ingestKey, key };
    },

    /** From now on the key is refused; its devices and their dumps stay. @throws DomainError NOT_FOUND */
    async revoke(id: number): Promise<IngestKeyRow> {
      return audit.change(async (tx, note) => {
        await tx.ingestKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: clock.now() } });
        const row = await tx.ingestKey.findUnique({ where: { id } });
        if (row === null) throw notFound('ingest key', id, { field: 'id' });
        await note(onKey('revokeIngestKey', row));
        return row;
      });
    },
  };
}

interface IngestKeyDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
}

interface NewIngestKey {
  modelCode: string;
  name: string;
  newDevicesPerHour?: number;
  requiresApproval?: boolean;
}

function ofModel({ modelCode }: IngestKeyFilter) {
  return modelCode === undefined ? {} : { model: { code: modelCode } };
}

function onKey(action: string, { id, name, hint }: IngestKeyRow): AuditNote {
  return { action, targetType: 'IngestKey', targetId: id, target: `${name} (…${hint})` };
}
