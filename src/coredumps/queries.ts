import type { Db, Prisma } from '../platform/database/database.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import type { CoredumpFilter, CoredumpRow, PageWindow } from './types.js';

/** More words only make a search slower, not better. */
const MAX_SEARCH_WORDS = 10;

/** The one translation of a filter; lists, counts and re-parses all go through it. */
export function coredumpWhere(filter: CoredumpFilter): Prisma.CoredumpWhereInput {
  const { parseStatus, chip, firmwareVersion, deviceKey, modelCode, uploadedAfter, uploadedBefore, search } = filter;
  return {
    ...(parseStatus === undefined ? {} : { parseStatus: { in: parseStatus } }),
    ...(chip === undefined ? {} : { chip: { in: chip } }),
    ...(firmwareVersion === undefined ? {} : { firmwareVersion: { in: firmwareVersion } }),
    ...(deviceKey === undefined && modelCode === undefined
      ? {}
      : {
          device: {
            ...(deviceKey === undefined ? {} : { key: { in: deviceKey } }),
            ...(modelCode === undefined ? {} : { model: { code: { in: modelCode } } }),
          },
        }),
    ...(uploadedAfter === undefined && uploadedBefore === undefined
      ? {}
      : {
          uploadedAt: {
            ...(uploadedAfter === undefined ? {} : { gte: uploadedAfter }),
            ...(uploadedBefore === undefined ? {} : { lt: uploadedBefore }),
          },
        }),
    ...(search === undefined ? {} : { AND: searchWords(search).map(containsWord) }),
  };
}

/** Newest first, whichever end the window counts from. */
export async function listCoredumps(db: Db, filter: CoredumpFilter, window: PageWindow): Promise<CoredumpRow[]> {
  const rows = await db.coredump.findMany({
    where: { AND: [coredumpWhere(filter), idWindow(window)] },
    orderBy: { id: window.fromEnd === true ? 'asc' : 'desc' },
    take: window.take,
    select: COREDUMP_ROW,
  });
  return (window.fromEnd === true ? rows.reverse() : rows).map(toCoredumpRow);
}

export async function countCoredumps(db: Db, filter: CoredumpFilter): Promise<number> {
  return db.coredump.count({ where: coredumpWhere(filter) });
}

/** Bounds by id instead of a cursor's row: they hold also when that row was deleted meanwhile. */
export function idWindow({ beforeId, afterId }: Pick<PageWindow, 'beforeId' | 'afterId'>) {
  return {
    id: {
      ...(beforeId === undefined ? {} : { lt: beforeId }),
      ...(afterId === undefined ? {} : { gt: afterId }),
    },
  };
}

function searchWords(search: string): string[] {
  return search.split(/\s+/).filter(Boolean).slice(0, MAX_SEARCH_WORDS);
}

/** `contains` is case-insensitive on SQLite (LIKE), for ASCII. Prisma escapes % and _ by itself only on PostgreSQL. */
function containsWord(word: string): Prisma.CoredumpWhereInput {
  return {
    OR: [
      { filename: { contains: word } },
      { chip: { contains: word } },
      { firmwareVersion: { contains: word } },
      { device: { OR: [{ key: { contains: word } }, { name: { contains: word } }] } },
      { text: { output: { contains: word } } },
    ],
  };
}
