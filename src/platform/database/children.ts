import { Prisma } from './client.js';
import DataLoader from './data-loader.js';
import type { Db } from './types.js';

/** A window of a newest-first list: `take` rows with ids between the two bounds, both exclusive. */
export interface PageWindow {
  take: number;
  beforeId?: number;
  afterId?: number;
  /** Take from the oldest end; the rows are returned newest first all the same. */
  fromEnd?: boolean;
}

/** Most parents in one statement: SQLite binds at most 32,766 values. */
export const MAX_PARENTS = 10_000;

/** Names of tables and columns come from the program, never from a user. */
interface Relation {
  table: 'Device' | 'Firmware' | 'Coredump' | 'AlertDelivery' | 'IngestKey' | 'ShareLink';
  parent: 'modelId' | 'firmwareId' | 'ruleId' | 'ingestKeyId' | 'coredumpId';
}

/** The same window of the children of many parents; one statement for all requests with the same window. */
export function childrenOf<Row extends { id: number }>(db: Db, { table, parent }: Relation) {
  const [from, column] = [Prisma.raw(`"${table}"`), Prisma.raw(`"${parent}"`)];
  return new DataLoader<{ parentId: number; window: PageWindow }, Row[], string>(
    async (questions) => {
      const answers = new Map<string, Map<number, Row[]>>();
      for (const { window } of questions) {
        const key = JSON.stringify(window);
        if (answers.has(key)) continue;
        const parents = questions.filter((question) => JSON.stringify(question.window) === key);
        answers.set(
          key,
          await ask(
            parents.map(({ parentId }) => parentId),
            window,
          ),
        );
      }
      return questions.map(
        ({ parentId, window }) => answers.get(JSON.stringify(window))?.get(parentId) ?? [],
      );
    },
    { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
  );

  async function ask(parentIds: number[], { take, beforeId, afterId, fromEnd }: PageWindow) {
    const direction = fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
    const before = beforeId === undefined ? Prisma.sql`1 = 1` : Prisma.sql`r."id" < ${beforeId}`;
    const after = afterId === undefined ? Prisma.sql`1 = 1` : Prisma.sql`r."id" > ${afterId}`;
    const rows = await db.$queryRaw<Array<Row & Record<string, unknown>>>`
      SELECT * FROM (
        SELECT r.*, row_number() OVER (PARTITION BY r.${column} ORDER BY r."id" ${direction}) AS "rank"
        FROM ${from} r WHERE r.${column} IN (${Prisma.join(parentIds)}) AND ${before} AND ${after}
      ) ranked WHERE ranked."rank" <= ${take} ORDER BY ranked."id" DESC`;
    const byParent = new Map<number, Row[]>();
    for (const row of rows) {
      const parentId = Number(row[parent]);
      byParent.set(parentId, [...(byParent.get(parentId) ?? []), row]);
    }
    return byParent;
  }
}

/** Number of children per parent; one statement for all. */
export function countChildrenOf(db: Db, { table, parent }: Relation) {
  const [from, column] = [Prisma.raw(`"${table}"`), Prisma.raw(`"${parent}"`)];
  return new DataLoader<number, number>(
    async (parentIds) => {
      const rows = await db.$queryRaw<Array<{ parentId: number; count: number | bigint }>>`
        SELECT ${column} AS "parentId", count(*) AS "count" FROM ${from}
        WHERE ${column} IN (${Prisma.join([...parentIds])}) GROUP BY ${column}`;
      const counts = new Map(rows.map(({ parentId, count }) => [Number(parentId), Number(count)]));
      return parentIds.map((id) => counts.get(id) ?? 0);
    },
    { maxBatchSize: MAX_PARENTS },
  );
}
