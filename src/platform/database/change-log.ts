import type { Change, ChangeFilter, ChangeLog, LogDialect, Position, Subject } from './change-types.js';
import { Prisma } from './client.js';
import { inTransaction } from './transaction.js';
import type { Db } from './types.js';

/** Rows that are removed in one transaction. */
const PRUNED_AT_ONCE = 5_000;

export function createChangeLog(db: Db, dialect: LogDialect): ChangeLog {
  return {
    async identity() {
      const [row] = await db.lookup<{ uuid: string }>(Prisma.sql`SELECT "uuid" FROM "ChangeFeed"`);
      if (row === undefined) throw new Error('the change feed has no identity');
      return row.uuid;
    },

    now,

    async read({ from, to, afterId }, filter, take) {
      if (from === to) return [];
      const rows = await db.lookup<GroupedRow>(Prisma.sql`
        SELECT c."subject", c."subjectId", max(c."deviceId") AS "deviceId", max(c."id") AS "lastId",
          max(CASE WHEN c."kind" = 'ARRIVED' THEN 1 ELSE 0 END) AS "hasArrived",
          max(CASE WHEN c."kind" = 'DELETED' THEN 1 ELSE 0 END) AS "isDeleted", max(c."at") AS "at"
        FROM "Change" c WHERE ${dialect.within(from, to)} AND ${conditions(filter)}
        GROUP BY c."subject", c."subjectId" HAVING max(c."id") > ${afterId}
        ORDER BY max(c."id") LIMIT ${take}`);
      return rows.map(toChange);
    },

    async isComplete(since) {
      const [row] = await db.lookup<{ id: string; tx: string }>(
        Prisma.sql`SELECT CAST("prunedId" AS TEXT) AS "id", CAST("prunedTx" AS TEXT) AS "tx" FROM "ChangeFeed"`,
      );
      if (row === undefined) return false;
      return dialect.isAfter(since, row) && !dialect.isBeyond(since, await now());
    },

    isPosition: dialect.isPosition,

    async prune({ before, keep }) {
      const { foreign } = dialect;
      if (foreign !== null) await db.$executeRaw`DELETE FROM "Change" c WHERE ${foreign}`;
      const aged = await removeWhile(Prisma.sql`c."at" < ${before}`);
      const [newest] = await db.lookup<{ id: number | null }>(
        Prisma.sql`SELECT max("id") AS "id" FROM "Change"`,
      );
      return aged + (await removeWhile(Prisma.sql`c."id" <= ${Number(newest?.id ?? 0) - keep}`));
    },
  };

  async function now(): Promise<Position> {
    const [row] = await db.lookup<{ position: string }>(dialect.now);
    if (row === undefined) throw new Error('the database did not answer with its position');
    return row.position;
  }

  async function removeWhile(condition: Prisma.Sql): Promise<number> {
    for (let total = 0; ; ) {
      const removed = await db.fromReserve(() => removeSome(condition));
      total += removed;
      if (removed < PRUNED_AT_ONCE) return total;
    }
  }

  /** What was removed is noted first, in the same transaction. */
  async function removeSome(condition: Prisma.Sql): Promise<number> {
    return inTransaction(db, async (tx) => {
      const [oldest] = await tx.$queryRaw<Array<{ id: bigint | number | null; tx: bigint | number | null }>>`
        SELECT max(o."id") AS "id", max(o."tx") AS "tx"
        FROM (SELECT c."id", c."tx" FROM "Change" c WHERE ${condition} ORDER BY c."id" LIMIT ${PRUNED_AT_ONCE}) o`;
      if (oldest?.id == null) return 0;
      await tx.$executeRaw`UPDATE "ChangeFeed" SET
        "prunedId" = CASE WHEN "prunedId" < ${oldest.id} THEN ${oldest.id} ELSE "prunedId" END,
        "prunedTx" = CASE WHEN "prunedTx" < ${oldest.tx} THEN ${oldest.tx} ELSE "prunedTx" END`;
      // Rows with lower ids that were committed meanwhile are not older than the limit; they stay.
      return tx.$executeRaw`DELETE FROM "Change" WHERE "id" IN (
        SELECT c."id" FROM "Change" c WHERE ${condition} AND c."id" <= ${oldest.id} AND c."tx" <= ${oldest.tx})`;
    });
  }
}

interface GroupedRow {
  subject: Subject;
  subjectId: number;
  deviceId: number | null;
  lastId: number;
  hasArrived: number;
  isDeleted: number;
  at: Date | number;
}

function toChange({ hasArrived, isDeleted, at, ...row }: GroupedRow): Change {
  const kind = isDeleted === 1 ? 'DELETED' : hasArrived === 1 ? 'ARRIVED' : 'CHANGED';
  // SQLite does not know the type of an aggregate.
  return { ...row, kind, at: new Date(at) };
}

function conditions({ subjects, coredumpId, deviceId, crashGroupId }: ChangeFilter): Prisma.Sql {
  const ids = [
    ...(coredumpId === undefined
      ? []
      : [Prisma.sql`(c."subject" = 'Coredump' AND c."subjectId" = ${coredumpId})`]),
    ...(deviceId === undefined ? [] : [Prisma.sql`c."deviceId" = ${deviceId}`]),
    ...(crashGroupId === undefined
      ? []
      : [Prisma.sql`(c."subject" = 'CrashGroup' AND c."subjectId" = ${crashGroupId})`]),
  ];
  const all = Prisma.sql`1 = 1`;
  const bySubject =
    subjects === undefined
      ? all
      : subjects.length === 0
        ? Prisma.sql`1 = 0`
        : Prisma.sql`c."subject" IN (${Prisma.join([...subjects])})`;
  const byId = ids.length === 0 ? all : Prisma.sql`(${Prisma.join(ids, ' OR ')})`;
  return Prisma.sql`${bySubject} AND ${byId}`;
}
