import { MAX_PARENTS, type PageWindow } from '../platform/database/children.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import { countCoredumpsByDevice, listCoredumpsByDevice } from './read.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import { createTextLoader } from './text-loader.js';
import type { CoredumpColumns, CoredumpFilter, CoredumpRow } from './types.js';

export interface OfDevice {
  deviceId: number;
  filter: CoredumpFilter;
}

interface PageOfDevice extends OfDevice {
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

    /** Text and report, which are large; lists never read them. */
    texts: createTextLoader(db),

    /** One statement for all devices with the same filter, window and columns. */
    ofDevice: new DataLoader<PageOfDevice, CoredumpRow[], string>(
      (questions) =>
        grouped(
          questions,
          ({ filter, window, columns }) => JSON.stringify([filter, window, columns]),
          async (group, { filter, window, columns }) => {
            const rows = await listCoredumpsByDevice(db, deviceIds(group), filter, window, columns);
            return ({ deviceId }) => rows.get(deviceId) ?? [];
          },
        ),
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),

    countOfDevice: new DataLoader<OfDevice, number, string>(
      (questions) =>
        grouped(
          questions,
          ({ filter }) => JSON.stringify(filter),
          async (group, { filter }) => {
            const counts = await countCoredumpsByDevice(db, deviceIds(group), filter);
            return ({ deviceId }) => counts.get(deviceId) ?? 0;
          },
        ),
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),
  };
}

function deviceIds(questions: readonly OfDevice[]): number[] {
  return [...new Set(questions.map(({ deviceId }) => deviceId))];
}

/** Groups requests that one statement can answer, and returns the answers in the order of the requests. */
async function grouped<Question, Answer>(
  questions: readonly Question[],
  keyOf: (question: Question) => string,
  ask: (group: Question[], first: Question) => Promise<(question: Question) => Answer>,
): Promise<Answer[]> {
  const groups = new Map<string, [Question, ...Question[]]>();
  for (const question of questions) {
    const group = groups.get(keyOf(question));
    if (group === undefined) groups.set(keyOf(question), [question]);
    else group.push(question);
  }
  const answers = new Map<string, (question: Question) => Answer>();
  for (const [key, group] of groups) answers.set(key, await ask(group, group[0]));
  return questions.map((question) => {
    const answer = answers.get(keyOf(question));
    if (answer === undefined) throw new Error('a request is missing in its group');
    return answer(question);
  });
}
