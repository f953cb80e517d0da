import { childrenOf, countChildrenOf, type PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import { rowsById } from '../platform/database/rows-by-id.js';
import { containsWords } from '../platform/database/text-search.js';
import type { Db } from '../platform/database/types.js';
import { createPrivacyLoader } from './privacy.js';
import type { DeviceModelRow, DeviceRow } from './types.js';

/** An empty filter matches all devices. */
export interface DeviceFilter {
  modelCode?: string[];
  /** Words that must all occur (case-insensitive) in key or name. */
  search?: string;
}

const DEVICES_OF_MODEL = { table: 'Device', parent: 'modelId' } as const;

/** For one request: one statement per loader, however many fields use it. */
export function createDeviceLoaders(db: Db) {
  return {
    byId: rowsById<DeviceRow>((ids) => db.device.findMany({ where: { id: { in: [...ids] } } })),
    modelById: rowsById<DeviceModelRow>((ids) =>
      db.deviceModel.findMany({ where: { id: { in: [...ids] } } }),
    ),
    privacyOfModel: createPrivacyLoader(db),
    ofModel: childrenOf<DeviceRow>(db, DEVICES_OF_MODEL),
    countOfModel: countChildrenOf(db, DEVICES_OF_MODEL),
  };
}

export type DeviceQueries = ReturnType<typeof createDeviceQueries>;

export function createDeviceQueries(db: Db) {
  return {
    get: (key: string) => db.device.findUnique({ where: { key } }),
    getModel: (code: string) => db.deviceModel.findUnique({ where: { code } }),

    async list(filter: DeviceFilter, { take, beforeId, afterId, fromEnd }: PageWindow): Promise<DeviceRow[]> {
      const all = [
        ...conditions(filter),
        ...(beforeId === undefined ? [] : [Prisma.sql`d."id" < ${beforeId}`]),
        ...(afterId === undefined ? [] : [Prisma.sql`d."id" > ${afterId}`]),
      ];
      const rows = await db.lookup<DeviceRow>(Prisma.sql`
        SELECT d.* FROM "Device" d WHERE ${Prisma.join(all, ' AND ')}
        ORDER BY d."id" ${fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`} LIMIT ${take}`);
      return fromEnd === true ? rows.reverse() : rows;
    },
    async count(filter: DeviceFilter): Promise<number> {
      const [row] = await db.lookup<{ count: number | bigint }>(Prisma.sql`
        SELECT count(*) AS "count" FROM "Device" d WHERE ${Prisma.join(conditions(filter), ' AND ')}`);
      return Number(row?.count ?? 0);
    },

    async listModels(window: PageWindow): Promise<DeviceModelRow[]> {
      const rows = await db.deviceModel.findMany({ where: bounds(window), ...order(window) });
      return window.fromEnd === true ? rows.reverse() : rows;
    },
    countModels: () => db.deviceModel.count(),
  };
}

/** At least one condition; "d" is the table alias of the device. */
function conditions({ modelCode, search }: DeviceFilter): Prisma.Sql[] {
  return [
    modelCode === undefined ? Prisma.sql`1 = 1` : ofModels(modelCode),
    ...containsWords(
      search ?? '',
      (isIn) => Prisma.sql`(${isIn(Prisma.sql`d."key"`)} OR ${isIn(Prisma.sql`d."name"`)})`,
    ),
  ];
}

/** An empty list matches no device. */
function ofModels(codes: readonly string[]): Prisma.Sql {
  if (codes.length === 0) return Prisma.sql`1 = 0`;
  return Prisma.sql`d."modelId" IN (SELECT m."id" FROM "DeviceModel" m WHERE m."code" IN (${Prisma.join([...codes])}))`;
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
