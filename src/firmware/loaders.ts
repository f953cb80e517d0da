import { countChildrenOf, type PageWindow } from '../platform/database/children.js';
import DataLoader from '../platform/database/data-loader.js';
import { loaderByParent } from '../platform/database/loader-by-parent.js';
import type { Db } from '../platform/database/types.js';
import { countFirmwaresOfModels, listFirmwaresOfModels } from './read.js';
import { createRunningBuildLoader } from './running-builds.js';
import type { Firmware, FirmwareFilter } from './types.js';

/** For one request: one statement per loader, however many fields use it. */
export function createFirmwareLoaders(db: Db) {
  return {
    byId: new DataLoader<number, Firmware | null>(async (ids) => {
      const rows = await db.firmware.findMany({ where: { id: { in: [...ids] } } });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    ofModel: loaderByParent<{ filter: FirmwareFilter; window: PageWindow }, Firmware[]>(
      (modelIds, { filter, window }) => listFirmwaresOfModels(db, modelIds, filter, window),
      [],
    ),
    countOfModel: loaderByParent<{ filter: FirmwareFilter }, number>(
      (modelIds, { filter }) => countFirmwaresOfModels(db, modelIds, filter),
      0,
    ),
    /** When the ELF was found missing in the storage; null while it is present. */
    elfLostAt: new DataLoader<number, Date | null>(async (ids) => {
      const rows = await db.lostElf.findMany({ where: { firmwareId: { in: [...ids] } } });
      const byId = new Map(rows.map(({ firmwareId, noticedAt }) => [firmwareId, noticedAt]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    running: createRunningBuildLoader(db),
    coredumpCount: countChildrenOf(db, { table: 'Coredump', parent: 'firmwareId' }),
  };
}
