import { countCoredumpsOfGroups, listCoredumpsOfGroups } from '../coredumps/read.js';
import type { CoredumpFilter, CoredumpRow } from '../coredumps/types.js';
import type { DeviceRow } from '../devices/types.js';
import { MAX_PARENTS, type PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import DataLoader from '../platform/database/data-loader.js';
import { loaderByParent } from '../platform/database/loader-by-parent.js';
import type { Db } from '../platform/database/types.js';
import { countActivities, type GroupActivityRow, listActivities, toActivityRow } from './activity.js';
import { type AffectedDeviceRow, type AffectedWindow, listAffectedDevices } from './affected-devices.js';
import { type Breakdown, type BreakdownQuestion, groupBreakdowns } from './crash-breakdown.js';
import { createSeriesFilters, groupSeries, type SeriesFilter, type SeriesRange } from './crash-series.js';
import { countHistories, type GroupEventRow, listHistories } from './history.js';
import { takersOf } from './merged-groups.js';
import { OWN_CODE_RUN } from './own-code-work.js';
import {
  countGroupsOf,
  type GroupParent,
  type GroupWindow,
  listDevicesOfGroups,
  listGroupsOf,
} from './queries.js';
import type { Regrouping } from './regroup-job.js';
import { type CrashGroupRow, toGroupRow } from './types.js';

export type CrashGroupLoaders = ReturnType<typeof createCrashGroupLoaders>;

/** One model, version and chip that a group was seen on. */
export interface CrashVariantRow {
  modelId: number;
  firmwareVersion: string;
  chip: string;
  count: number;
  firstSeenAt: Date;
  lastSeenAt: Date;
}

/** For one request: batches what fields read one by one into one statement. */
export function createCrashGroupLoaders(db: Db) {
  return {
    /** The group with the id, or the one that took it in. */
    byId: new DataLoader<number, CrashGroupRow | null>(async (ids) => {
      const byId = await groupsById(db, ids);
      const missing = ids.filter((id) => !byId.has(id));
      const into = missing.length === 0 ? new Map<number, number>() : await takersOf(db, missing);
      const takers = into.size === 0 ? byId : await groupsById(db, [...new Set(into.values())]);
      return ids.map((id) => byId.get(id) ?? takers.get(into.get(id) ?? 0) ?? null);
    }),
    /** Progress of the last change of a model's rules about own code. */
    ownCodeRun: new DataLoader<number, Regrouping | null>(async (modelIds) => {
      const names = modelIds.map((id) => `${OWN_CODE_RUN}${id}`);
      const runs = await db.regroupRun.findMany({ where: { fingerprintVersion: { in: names } } });
      const byName = new Map(runs.map((run) => [run.fingerprintVersion, run]));
      return names.map((name) => byName.get(name) ?? null);
    }),
    /** Ids of the groups that a group took in. */
    mergedIds: new DataLoader<number, number[]>(async (ids) => {
      const rows = await db.mergedGroup.findMany({
        where: { intoId: { in: [...ids] } },
        select: { id: true, intoId: true },
        orderBy: { id: 'asc' },
      });
      return ids.map((id) => rows.filter(({ intoId }) => intoId === id).map((row) => row.id));
    }),

    history: new DataLoader<{ id: number; window: PageWindow }, GroupEventRow[], string>(
      (questions) =>
        inOneStatementEach(
          questions,
          ({ window }) => JSON.stringify(window),
          async ({ window }, ids) => {
            const answers = await listHistories(db, ids, window);
            return (id) => answers.get(id) ?? [];
          },
        ),
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),
    historyCount: new DataLoader<number, number>(async (ids) => {
      const counts = await countHistories(db, ids);
      return ids.map((id) => counts.get(id) ?? 0);
    }),

    activity: new DataLoader<{ id: number; window: PageWindow }, GroupActivityRow[], string>(
      (questions) =>
        inOneStatementEach(
          questions,
          ({ window }) => JSON.stringify(window),
          async ({ window }, ids) => {
            const answers = await listActivities(db, ids, window);
            return (id) => answers.get(id) ?? [];
          },
        ),
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),
    activityCount: new DataLoader<number, number>(async (ids) => {
      const counts = await countActivities(db, ids);
      return ids.map((id) => counts.get(id) ?? 0);
    }),
    activityById: new DataLoader<number, GroupActivityRow | null>(async (ids) => {
      const rows = await db.groupActivity.findMany({ where: { id: { in: [...ids] } } });
      const byId = new Map(rows.map((row) => [row.id, toActivityRow(row)]));
      return ids.map((id) => byId.get(id) ?? null);
    }),

    /** The id of a dump's group. */
    ofCoredump: new DataLoader<number, number | null>(async (ids) => {
      const rows = await db.$queryRaw<Array<{ coredumpId: number; groupId: number }>>`
        SELECT o."coredumpId", s."groupId" FROM "CrashOccurrence" o
        JOIN "CrashSignature" s ON s."id" = o."signatureId" WHERE o."coredumpId" IN (${Prisma.join([...ids])})`;
      const byId = new Map(rows.map(({ coredumpId, groupId }) => [coredumpId, groupId]));
      return ids.map((id) => byId.get(id) ?? null);
    }),

    /** The groups of devices, and of firmwares. */
    of: new DataLoader<{ parent: GroupParent; id: number; window: GroupWindow }, CrashGroupRow[], string>(
      (questions) =>
        inOneStatementEach(
          questions,
          ({ parent, window }) => JSON.stringify([parent, window]),
          async ({ parent, window }, ids) => {
            const answers = await listGroupsOf(db, parent, ids, window);
            return (id) => answers.get(id) ?? [];
          },
        ),
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),
    countOf: new DataLoader<{ parent: GroupParent; id: number }, number, string>(
      (questions) =>
        inOneStatementEach(
          questions,
          ({ parent }) => parent,
          async ({ parent }, ids) => {
            const answers = await countGroupsOf(db, parent, ids);
            return (id) => answers.get(id) ?? 0;
          },
        ),
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),

    /** The stored dumps of groups, newest first. */
    coredumps: loaderByParent<{ filter: CoredumpFilter; window: PageWindow }, CoredumpRow[]>(
      (ids, { filter, window }) => listCoredumpsOfGroups(db, ids, window, filter),
      [],
    ),
    countOfCoredumps: loaderByParent<{ filter: CoredumpFilter }, number>(
      (ids, { filter }) => countCoredumpsOfGroups(db, ids, filter),
      0,
    ),
    /** Devices of groups with their crashes, without deleted devices. */
    affected: loaderByParent<{ window: AffectedWindow }, AffectedDeviceRow[]>(
      (ids, { window }) => listAffectedDevices(db, ids, window),
      [],
    ),
    keptCount: new DataLoader<number, number>(async (ids) => {
      const rows = await db.$queryRaw<Array<{ groupId: number; count: number | bigint }>>`
        SELECT s."groupId", count(*) AS "count" FROM "CrashSignature" s
        JOIN "CrashOccurrence" o ON o."signatureId" = s."id"
        WHERE s."groupId" IN (${Prisma.join([...ids])}) GROUP BY s."groupId"`;
      const byId = new Map(rows.map(({ groupId, count }) => [groupId, Number(count)]));
      return ids.map((id) => byId.get(id) ?? 0);
    }),

    /** Devices of groups, without deleted ones, newest device first. */
    devices: new DataLoader<{ id: number; window: PageWindow }, DeviceRow[], string>(
      (questions) =>
        inOneStatementEach(
          questions,
          ({ window }) => JSON.stringify(window),
          async ({ window }, ids) => {
            const answers = await listDevicesOfGroups(db, ids, window);
            return (id) => answers.get(id) ?? [];
          },
        ),
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),
    presentDeviceCount: new DataLoader<number, number>(async (ids) => {
      const rows = await db.$queryRaw<Array<{ groupId: number; count: number | bigint }>>`
        SELECT s."groupId", count(DISTINCT d."id") AS "count" FROM "CrashSignature" s
        JOIN "CrashDevice" x ON x."signatureId" = s."id" JOIN "Device" d ON d."id" = x."deviceId"
        WHERE s."groupId" IN (${Prisma.join([...ids])}) GROUP BY s."groupId"`;
      const byId = new Map(rows.map(({ groupId, count }) => [groupId, Number(count)]));
      return ids.map((id) => byId.get(id) ?? 0);
    }),

    variants: new DataLoader<number, CrashVariantRow[]>(async (ids) => {
      const rows = await db.crashVariant.findMany({
        where: { signature: { groupId: { in: [...ids] } } },
        include: { signature: { select: { groupId: true } } },
      });
      return ids.map((id) => sumVariants(rows.filter(({ signature }) => signature.groupId === id)));
    }),
    fingerprints: new DataLoader<number, string[]>(async (ids) => {
      const rows = await db.crashSignature.findMany({
        where: { groupId: { in: [...ids] } },
        select: { groupId: true, fingerprint: true },
        orderBy: { id: 'asc' },
      });
      return ids.map((id) =>
        rows.filter(({ groupId }) => groupId === id).map(({ fingerprint }) => fingerprint),
      );
    }),

    breakdown: new DataLoader<{ id: number; question: BreakdownQuestion }, Breakdown, string>(
      (questions) =>
        inOneStatementEach(
          questions,
          ({ question }) => JSON.stringify(question),
          async ({ question }, ids) => {
            const answers = await groupBreakdowns(db, ids, question);
            return (id) => answers.get(id) ?? [];
          },
        ),
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),

    /** A filter of time series with the ids of its models. */
    seriesFilter: createSeriesFilters(db),
    /** Crashes by slot. */
    series: new DataLoader<
      { id: number; range: SeriesRange; filter: SeriesFilter },
      Map<number, number>,
      string
    >(
      (questions) =>
        inOneStatementEach(
          questions,
          ({ range, filter }) => JSON.stringify([range, filter]),
          async ({ range, filter }, ids) => {
            const answers = await groupSeries(db, ids, range, filter);
            return (id) => answers.get(id) ?? new Map();
          },
        ),
      { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
    ),
  };
}

async function groupsById(db: Db, ids: readonly number[]): Promise<Map<number, CrashGroupRow>> {
  const rows = await db.crashGroup.findMany({ where: { id: { in: [...ids] } } });
  return new Map(rows.map((row) => [row.id, toGroupRow(row)]));
}

/** Merged signatures may have the same variant. */
function sumVariants(rows: readonly CrashVariantRow[]): CrashVariantRow[] {
  const sums = new Map<string, CrashVariantRow>();
  for (const { modelId, firmwareVersion, chip, count, firstSeenAt, lastSeenAt } of rows) {
    const key = JSON.stringify([modelId, firmwareVersion, chip]);
    const sum = sums.get(key);
    sums.set(key, {
      modelId,
      firmwareVersion,
      chip,
      count: (sum?.count ?? 0) + count,
      firstSeenAt: sum !== undefined && sum.firstSeenAt < firstSeenAt ? sum.firstSeenAt : firstSeenAt,
      lastSeenAt: sum !== undefined && sum.lastSeenAt > lastSeenAt ? sum.lastSeenAt : lastSeenAt,
    });
  }
  return [...sums.values()].sort((a, b) => b.count - a.count);
}

/** Answers questions in their order, with one statement for all questions of the same key. */
async function inOneStatementEach<Question extends { id: number }, Answer>(
  questions: readonly Question[],
  keyOf: (question: Question) => string,
  ask: (first: Question, ids: number[]) => Promise<(id: number) => Answer>,
): Promise<Answer[]> {
  const answers = new Map<string, (id: number) => Answer>();
  for (const question of questions) {
    const key = keyOf(question);
    if (answers.has(key)) continue;
    const ids = questions.filter((other) => keyOf(other) === key).map(({ id }) => id);
    answers.set(key, await ask(question, [...new Set(ids)]));
  }
  return questions.flatMap((question) => {
    const answer = answers.get(keyOf(question));
    return answer === undefined ? [] : [answer(question.id)];
  });
}
