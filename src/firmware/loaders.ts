import { childrenOf, countChildrenOf } from '../platform/database/children.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import type { Firmware } from './types.js';

const FIRMWARES_OF_MODEL = { table: 'Firmware', parent: 'modelId' } as const;

/** For one request: one statement per loader, however many fields use it. */
export function createFirmwareLoaders(db: Db) {
  return {
    byId: new DataLoader<number, Firmware | null>(async (ids) => {
      const rows = await db.firmware.findMany({ where: { id: { in: [...ids] } } });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    ofModel: childrenOf<Firmware>(db, FIRMWARES_OF_MODEL),
    countOfModel: countChildrenOf(db, FIRMWARES_OF_MODEL),
    /** When the ELF was found missing in the storage; null while it is present. */
    elfLostAt: new DataLoader<number, Date | null>(async (ids) => {
      const rows = await db.lostElf.findMany({ where: { firmwareId: { in: [...ids] } } });
      const byId = new Map(rows.map(({ firmwareId, noticedAt }) => [firmwareId, noticedAt]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    coredumpCount: countChildrenOf(db, { table: 'Coredump', parent: 'firmwareId' }),
  };
}
