import { childrenOf, countChildrenOf, type PageWindow } from '../platform/database/children.js';
import DataLoader from '../platform/database/data-loader.js';
import { loaderByParent } from '../platform/database/loader-by-parent.js';
import type { Db } from '../platform/database/types.js';
import { createCrashFacts } from './describe.js';
import { countCoredumpsByParent, type DumpParent, listCoredumpsByParent } from './read.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import type { ShareLinkRow } from './share-links.js';
import { createTextLoader } from './text-loader.js';
import type { CoredumpColumns, CoredumpFilter, CoredumpRow } from './types.js';

interface PageOfDumps {
  filter: CoredumpFilter;
  window: PageWindow;
  columns?: CoredumpColumns;
}

export type CoredumpLoaders = ReturnType<typeof createCoredumpLoaders>;

/** Loaders for one request: they read in one statement what many fields need. */
export function createCoredumpLoaders(db: Db) {
  return {
    byId: new DataLoader<number, CoredumpRow | null>(async (ids) => {
      const rows = await db.coredump.findMany({ where: { id: { in: [...ids] } }, select: COREDUMP_ROW });
      const byId = new Map(rows.map((row) => [row.id, toCoredumpRow(row)]));
      return ids.map((id) => byId.get(id) ?? null);
    }),

    /** When and why the raw bytes were removed; null while they are stored. */
    removedRaw: new DataLoader<number, { removedAt: Date; reason: string } | null>(async (ids) => {
      const rows = await db.removedRaw.findMany({ where: { coredumpId: { in: [...ids] } } });
      const byId = new Map(rows.map((row) => [row.coredumpId, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),

    /** When the raw file was found missing in the storage; null while it is present. */
    rawLostAt: new DataLoader<number, Date | null>(async (ids) => {
      const rows = await db.lostRaw.findMany({ where: { coredumpId: { in: [...ids] } } });
      const byId = new Map(rows.map(({ coredumpId, noticedAt }) => [coredumpId, noticedAt]));
      return ids.map((id) => byId.get(id) ?? null);
    }),

    /** What the Markdown of a crash names. */
    facts: createCrashFacts(db),

    shareLinkById: new DataLoader<number, ShareLinkRow | null>(async (ids) => {
      const rows = await db.shareLink.findMany({ where: { id: { in: [...ids] } } });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    shareLinks: childrenOf<ShareLinkRow>(db, { table: 'ShareLink', parent: 'coredumpId' }),
    countOfShareLinks: countChildrenOf(db, { table: 'ShareLink', parent: 'coredumpId' }),

    /** Text and report, which are large; lists never read them. */
    texts: createTextLoader(db),

    /** Pages of the dumps of devices, and of the dumps that were last parsed with a build. */
    ofDevice: pagesOf(db, 'device'),
    countOfDevice: countsOf(db, 'device'),
    ofFirmware: pagesOf(db, 'firmware'),
    countOfFirmware: countsOf(db, 'firmware'),
  };
}

/** One statement for all parents with the same filter, window and columns. */
function pagesOf(db: Db, parent: DumpParent) {
  return loaderByParent<PageOfDumps, CoredumpRow[]>(
    (parentIds, { filter, window, columns }) =>
      listCoredumpsByParent(db, parent, parentIds, filter, window, columns),
    [],
  );
}

function countsOf(db: Db, parent: DumpParent) {
  return loaderByParent<{ filter: CoredumpFilter }, number>(
    (parentIds, { filter }) => countCoredumpsByParent(db, parent, parentIds, filter),
    0,
  );
}
