import { type GroupPosition, type GroupWindow, positionOf } from '../../crash-groups/queries.js';
import {
  type CrashGroupRow,
  GROUP_ORDER_FIELDS,
  type GroupOrder,
  type GroupOrderField,
} from '../../crash-groups/types.js';
import { badInput } from '../../errors.js';
import { MAX_ROW_ID } from '../../global-ids.js';
import { builder } from './builder.js';
import { OrderDirection } from './order.js';
import { type PageArguments, sizeOf } from './pages.js';

const CrashGroupOrderField = builder.enumType('CrashGroupOrderField', {
  description: 'What crash groups can be sorted by. Values may be added.',
  values: {
    COUNT: { description: 'Crashes ever counted.' },
    DEVICE_COUNT: { description: 'Devices ever affected.' },
    LAST_SEEN_AT: { description: 'Time of the last crash.' },
    FIRST_SEEN_AT: { description: 'Time of the first crash: newly found bugs.' },
    VELOCITY: { description: 'Crashes a day, recent ones counting most: what is bad right now.' },
  } satisfies Record<GroupOrderField, object>,
});

export const CrashGroupOrder = builder.inputType('CrashGroupOrder', {
  description:
    'How a list of crash groups is sorted, e.g. `{ field: LAST_SEEN_AT }`. Groups with equal values are sorted by id.',
  fields: (t) => ({
    field: t.field({
      type: CrashGroupOrderField,
      required: true,
      description: 'The value that the list is sorted by.',
    }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'The highest or latest first when left out.',
    }),
  }),
});

/** Of the argument `orderBy`. */
export const ORDERED_BY = 'How the list is sorted; by `COUNT`, the highest first, when left out.';

const DEFAULT_ORDER: GroupOrder = { field: 'COUNT', direction: 'DESC' };

/**
 * One page of groups as a Relay connection. Cursors hold the value that the list is sorted by, and are good for both
 * directions. A group whose value changes between two requests may be on neither page or on both; no other group is
 * affected.
 *
 * @param list receives a `take` one larger than the page
 * @throws DomainError BAD_USER_INPUT for invalid sizes and cursors
 */
export async function groupPage(
  args: PageArguments & { orderBy?: GroupOrder | null | undefined },
  list: (window: GroupWindow) => Promise<CrashGroupRow[]>,
  totalCount: () => number | Promise<number>,
) {
  const order = args.orderBy ?? DEFAULT_ORDER;
  const { field } = order;
  const { take, fromEnd } = sizeOf(args);
  const after = positionIn(args.after, field, 'after');
  const before = positionIn(args.before, field, 'before');
  const rows = await list({
    order,
    take: take + 1,
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    ...(fromEnd ? { fromEnd } : {}),
  });
  const hasMore = rows.length > take;
  const nodes = fromEnd ? rows.slice(Math.max(0, rows.length - take)) : rows.slice(0, take);
  const edges = nodes.map((node) => ({ cursor: cursorOf(positionOf(node, field), field), node }));
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

function cursorOf({ value, id }: GroupPosition, field: GroupOrderField): string {
  return Buffer.from(`${field}:${value}:${id}`).toString('base64');
}

function positionIn(
  cursor: string | null | undefined,
  field: GroupOrderField,
  argument: string,
): GroupPosition | undefined {
  if (cursor == null) return undefined;
  const [name, value, id, ...more] = Buffer.from(cursor, 'base64').toString('utf8').split(':');
  const position = { value: Number(value || Number.NaN), id: Number(id || Number.NaN) };
  const isWhole = Number.isInteger(position.id) && position.id >= 0 && position.id <= MAX_ROW_ID;
  if (!GROUP_ORDER_FIELDS.some((known) => known === name) || more.length > 0 || !isWhole)
    throw notACursor(argument);
  if (name !== field)
    throw badInput(`This cursor belongs to the list sorted by ${name}, not by ${field}.`, {
      field: argument,
    });
  if (!isValueOf(field, position.value)) throw notACursor(argument);
  return position;
}

/** The range of the column: PostgreSQL refuses to compare it with other values. */
function isValueOf(field: GroupOrderField, value: number): boolean {
  if (field === 'VELOCITY') return Number.isFinite(value);
  if (field === 'LAST_SEEN_AT' || field === 'FIRST_SEEN_AT')
    return Number.isInteger(value) && Math.abs(value) < 8.64e15;
  return Number.isInteger(value) && Math.abs(value) <= MAX_ROW_ID;
}

const notACursor = (argument: string) => badInput('This is not a cursor of this list.', { field: argument });
