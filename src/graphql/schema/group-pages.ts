import { type GroupPosition, type GroupWindow, positionOf } from '../../crash-groups/queries.js';
import { type CrashGroupRow, GROUP_ORDERS, type GroupOrder } from '../../crash-groups/types.js';
import { badInput } from '../../errors.js';
import { MAX_ROW_ID } from '../../global-ids.js';
import { type PageArguments, sizeOf } from './pages.js';

/**
 * One page of groups as a Relay connection, the highest first. Cursors hold the value that the list is sorted by. A
 * group whose value rises between two requests may be on neither page or on both; no other group is affected.
 *
 * @param list receives a `take` one larger than the page
 * @throws DomainError BAD_USER_INPUT for invalid sizes and cursors
 */
export async function groupPage(
  args: PageArguments & { sort?: GroupOrder | null | undefined },
  list: (window: GroupWindow) => Promise<CrashGroupRow[]>,
  totalCount: () => number | Promise<number>,
) {
  const order = args.sort ?? 'COUNT';
  const { take, fromEnd } = sizeOf(args);
  const after = positionIn(args.after, order, 'after');
  const before = positionIn(args.before, order, 'before');
  const rows = await list({
    order,
    take: take + 1,
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    ...(fromEnd ? { fromEnd } : {}),
  });
  const hasMore = rows.length > take;
  const nodes = fromEnd ? rows.slice(Math.max(0, rows.length - take)) : rows.slice(0, take);
  const edges = nodes.map((node) => ({ cursor: cursorOf(positionOf(node, order), order), node }));
  return {
    edges,
    totalCount,
    pageInfo: {
      hasNextPage: fromEnd ? before !== undefined : hasMore,
      hasPreviousPage: fromEnd ? hasMore : after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

function cursorOf({ value, id }: GroupPosition, order: GroupOrder): string {
  return Buffer.from(`${order}:${value}:${id}`).toString('base64');
}

function positionIn(
  cursor: string | null | undefined,
  order: GroupOrder,
  field: string,
): GroupPosition | undefined {
  if (cursor == null) return undefined;
  const [name, value, id, ...more] = Buffer.from(cursor, 'base64').toString('utf8').split(':');
  const position = { value: Number(value || Number.NaN), id: Number(id || Number.NaN) };
  const isWhole = Number.isInteger(position.id) && position.id >= 0 && position.id <= MAX_ROW_ID;
  if (!GROUP_ORDERS.some((known) => known === name) || more.length > 0 || !isWhole) throw notACursor(field);
  if (name !== order) {
    throw badInput(`This cursor belongs to the list sorted by ${name}, not by ${order}.`, { field });
  }
  if (!isValueOf(order, position.value)) throw notACursor(field);
  return position;
}

/** The range of the column: PostgreSQL refuses to compare it with other values. */
function isValueOf(order: GroupOrder, value: number): boolean {
  if (order === 'VELOCITY') return Number.isFinite(value);
  if (order === 'RECENCY') return Number.isInteger(value) && Math.abs(value) < 8.64e15;
  return Number.isInteger(value) && Math.abs(value) <= MAX_ROW_ID;
}

const notACursor = (field: string) => badInput('This is not a cursor of this list.', { field });
