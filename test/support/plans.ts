import { Prisma } from '../../src/platform/database/client.js';
import type { Db } from '../../src/platform/database/types.js';

/** A node of PostgreSQL's plan after it was run, as far as it tells what was read. */
interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

/** A client that runs everything as `db` does and explains each SELECT that is written in SQL. */
export function explained(db: Db, isPostgresql: boolean) {
  const plans: unknown[][] = [];
  const explain = isPostgresql ? 'EXPLAIN (ANALYZE, FORMAT JSON) ' : 'EXPLAIN QUERY PLAN ';
  const look = async (sql: Prisma.Sql) => {
    plans.push(await db.$queryRaw<unknown[]>`${Prisma.raw(explain)}${sql}`);
  };
  const watched = new Proxy(db, {
    get(target, property) {
      if (property === 'lookup') {
        return async (sql: Prisma.Sql) => {
          await look(sql);
          return target.lookup(sql);
        };
      }
      if (property === '$queryRaw') {
        return async (strings: TemplateStringsArray, ...values: unknown[]) => {
          const sql = Prisma.sql(strings, ...values);
          await look(sql);
          return target.$queryRaw(sql);
        };
      }
      return Reflect.get(target, property);
    },
  });

  return {
    db: watched,
    /**
     * Tables that were read from end to end, how many rows of dumps and crashes PostgreSQL touched, and how often rows
     * were sorted because no index had them in the order.
     */
    seen(): { scanned: string[]; rows: number; sorts: number } {
      const [nodes, lines] = isPostgresql
        ? [plans.flatMap((rows) => rows.flatMap(nodesIn)), []]
        : [[], plans.flatMap((rows) => rows.map((row) => (row as { detail: string }).detail))];
      return {
        scanned: [
          ...nodes
            .filter((node) => /Seq Scan/.test(node['Node Type']))
            .map((node) => node['Relation Name'] ?? ''),
          // Also "SCAN c USING INDEX …", which reads a whole index.
          ...lines.flatMap((line) => /^SCAN (\w+)/.exec(line)?.[1] ?? []),
        ],
        sorts:
          nodes.filter((node) => /Sort/.test(node['Node Type'])).length +
          lines.filter((line) => line.includes('TEMP B-TREE FOR ORDER BY')).length,
        rows: nodes
          .filter((node) =>
            ['Coredump', 'CoredumpText', 'CrashOccurrence'].includes(node['Relation Name'] ?? ''),
          )
          .reduce((sum, node) => sum + rowsOf(node), 0),
      };
    },
  };
}

function nodesIn(row: unknown): PlanNode[] {
  const [{ Plan }] = (row as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN'];
  return below(Plan);
}

function below(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(below)];
}

function rowsOf(node: PlanNode): number {
  const left = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return (node['Actual Rows'] + left) * node['Actual Loops'];
}
