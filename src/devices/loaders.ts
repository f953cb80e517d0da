import DataLoader from 'dataloader';
import { childrenOf, countChildrenOf, type PageWindow } from '../platform/database/children.js';
import type { Db, Prisma } from '../platform/database/database.js';

export type DeviceRow = Prisma.DeviceGetPayload<object>;
export type DeviceModelRow = Prisma.DeviceModelGetPayload<object>;

/** Newest first; an empty filter means all. */
export interface DeviceFilter {
  modelCode?: string[];
  /** Part of key or name, whatever its case. */
  search?: string;
}

const DEVICES_OF_MODEL = { table: 'Device', parent: 'modelId' } as const;

/** For one request: one statement each, however many fields ask. */
export function createDeviceLoaders(db: Db) {
  return {
    byId: new DataLoader<number, DeviceRow | null>(async (ids) => {
      const rows = await db.device.findMany({ where: { id: { in: [...ids] } } });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    modelById: new DataLoader<number, DeviceModelRow | null>(async (ids) => {
      const rows = await db.deviceModel.findMany({ where: { id: { in: [...ids] } } });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    ofModel: childrenOf<DeviceRow>(db, DEVICES_OF_MODEL),
    countOfModel: countChildrenOf(db, DEVICES_OF_MODEL),
  };
}

export function createDeviceQueries(db: Db) {
  return {
    findByKey: (key: string) => db.device.findUnique({ where: { key } }),
    findModelByCode: (code: string) => db.deviceModel.findUnique({ where: { code } }),

    async list(filter: DeviceFilter, window: PageWindow): Promise<DeviceRow[]> {
      const rows = await db.device.findMany({
        where: { AND: [deviceWhere(filter), bounds(window)] },
        ...order(window),
      });
      return window.fromEnd === true ? rows.reverse() : rows;
    },
    count: (filter: DeviceFilter) => db.device.count({ where: deviceWhere(filter) }),

    async listModels(window: PageWindow): Promise<DeviceModelRow[]> {
      const rows = await db.deviceModel.findMany({ where: bounds(window), ...order(window) });
      return window.fromEnd === true ? rows.reverse() : rows;
    },
    countModels: () => db.deviceModel.count(),
  };
}

function deviceWhere({ modelCode, search }: DeviceFilter): Prisma.DeviceWhereInput {
  return {
    ...(modelCode === undefined ? {} : { model: { code: { in: modelCode } } }),
    ...(search === undefined ? {} : { OR: [{ key: { contains: search } }, { name: { contains: search } }] }),
  };
}

function bounds({ beforeId, afterId }: PageWindow) {
  return {
    id: {
      ...(beforeId === undefined ? {} : { lt: beforeId }),
      ...(afterId === undefined ? {} : { gt: afterId }),
    },
  };
}

function order({ take, fromEnd }: PageWindow) {
  return { take, orderBy: { id: fromEnd === true ? ('asc' as const) : ('desc' as const) } };
}
