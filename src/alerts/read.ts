import { childrenOf, countChildrenOf, type PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import { ofGroups } from '../platform/database/group-ids.js';
import { oneOf } from '../platform/database/one-of.js';
import {
  inOrder,
  type OrderColumns,
  type OrderedWindow,
  windowSql,
} from '../platform/database/ordered-window.js';
import { rowsById } from '../platform/database/rows-by-id.js';
import type { Db } from '../platform/database/types.js';
import type { AlertDeliveryRow, AlertRuleRow, DeliveryFilter, RuleFilter, RuleOrder } from './types.js';

export type AlertQueries = ReturnType<typeof createAlertQueries>;

/** Reads rules and their deliveries. In SQL "r" is the rule. */
export function createAlertQueries(db: Db) {
  return {
    async list(filter: RuleFilter, window: OrderedWindow<RuleOrder['field']>): Promise<AlertRuleRow[]> {
      const { within, order } = windowSql(RULE_COLUMNS, Prisma.sql`r."id"`, window);
      const rows = await db.$queryRaw<AlertRuleRow[]>`
        SELECT r.* FROM "AlertRule" r WHERE ${rulesOf(filter)} AND ${within} ORDER BY ${order} LIMIT ${window.take}`;
      return inOrder(rows, window);
    },
    async count(filter: RuleFilter): Promise<number> {
      const [row] = await db.$queryRaw<Array<{ count: number | bigint }>>`
        SELECT count(*) AS "count" FROM "AlertRule" r WHERE ${rulesOf(filter)}`;
      return Number(row?.count ?? 0);
    },

    /** Newest first. */
    async listDeliveries(
      filter: DeliveryFilter,
      { take, beforeId, afterId, fromEnd }: PageWindow,
    ): Promise<AlertDeliveryRow[]> {
      const bounds = {
        ...(beforeId === undefined ? {} : { lt: beforeId }),
        ...(afterId === undefined ? {} : { gt: afterId }),
      };
      const rows = await db.alertDelivery.findMany({
        where: { AND: [deliveriesOf(filter), { id: bounds }] },
        orderBy: { id: fromEnd === true ? 'asc' : 'desc' },
        take,
      });
      return fromEnd === true ? rows.reverse() : rows;
    },
    countDeliveries: (filter: DeliveryFilter): Promise<number> =>
      db.alertDelivery.count({ where: deliveriesOf(filter) }),
  };
}

const DELIVERIES_OF_RULE = { table: 'AlertDelivery', parent: 'ruleId' } as const;

/** For one request: one statement per loader. */
export function createAlertLoaders(db: Db) {
  return {
    ruleById: rowsById<AlertRuleRow>((ids) => db.alertRule.findMany({ where: { id: { in: [...ids] } } })),
    deliveryById: rowsById<AlertDeliveryRow>((ids) =>
      db.alertDelivery.findMany({ where: { id: { in: [...ids] } } }),
    ),
    deliveriesOf: childrenOf<AlertDeliveryRow>(db, DELIVERIES_OF_RULE),
    deliveryCountOf: countChildrenOf(db, DELIVERIES_OF_RULE),
  };
}

/** A rule that was never changed has the time of its creation. */
const RULE_COLUMNS: OrderColumns<RuleOrder['field']> = {
  CREATED_AT: null,
  UPDATED_AT: { sql: Prisma.sql`COALESCE(r."updatedAt", r."createdAt")` },
  NAME: {
    sql: Prisma.sql`lower(r."name")`,
    bound: (value) => Prisma.sql`lower(${String(value)})`,
  },
};

function rulesOf({ enabled, format, modelCode, groupId }: RuleFilter): Prisma.Sql {
  const ofModel = oneOf(Prisma.sql`m."code"`, modelCode);
  const all = [
    enabled === undefined ? null : Prisma.sql`r."enabled" = ${enabled}`,
    oneOf(Prisma.sql`r."format"`, format),
    groupId === undefined ? null : ofGroups(Prisma.sql`r."groupId"`, groupId),
    ofModel === null
      ? null
      : Prisma.sql`r."modelId" IN (SELECT m."id" FROM "DeviceModel" m WHERE ${ofModel})`,
  ].filter((condition) => condition !== null);
  return all.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(all, ' AND ');
}

function deliveriesOf(filter: DeliveryFilter): Prisma.AlertDeliveryWhereInput {
  const { ruleId, status, event, createdAfter, createdBefore } = filter;
  return {
    ...(ruleId === undefined ? {} : { ruleId: { in: ruleId } }),
    ...(status === undefined ? {} : { status: { in: status } }),
    ...(event === undefined ? {} : { event: { in: event } }),
    createdAt: {
      ...(createdAfter === undefined ? {} : { gte: createdAfter }),
      ...(createdBefore === undefined ? {} : { lt: createdBefore }),
    },
  };
}
