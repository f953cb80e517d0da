import { badInput } from '../../errors.js';
import { MAX_ROW_ID } from '../../global-ids.js';
import type { Order, OrderedWindow, OrderValue, Position } from '../../platform/database/ordered-window.js';
import { type PageArguments, sizeOf } from './pages.js';

/** How a field that a list is sorted by is written in a cursor. */
interface OrderField<Row> {
  /** The row's value. */
  of(row: Row): OrderValue;
  /** @returns null when the text is not a value of the field */
  read(text: string): OrderValue | null;
}

export type OrderFields<Row, Field extends string> = Record<Field, OrderField<Row>>;

export function byNumber<Row>(of: (row: Row) => number): OrderField<Row> {
  return {
    of,
    // The range of the column: PostgreSQL refuses to compare it with other values.
    read: (text) => (/^\d{1,10}$/.test(text) && Number(text) <= MAX_ROW_ID ? Number(text) : null),
  };
}

export function byReal<Row>(of: (row: Row) => number): OrderField<Row> {
  return { of, read: (text) => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : null) };
}

export function byTime<Row>(of: (row: Row) => Date): OrderField<Row> {
  return { of, read: (text) => (/^\d{1,14}$/.test(text) ? new Date(Number(text)) : null) };
}

export function byText<Row>(of: (row: Row) => string): OrderField<Row> {
  return { of, read: (text) => (text.length <= MAX_TEXT && !text.includes('\0') ? text : null) };
}

const MAX_TEXT = 400;

/**
 * One page of a sorted list as a Relay connection. A cursor holds the value that the list is sorted by and the id of its
 * row, so a page stays correct while other rows are added and deleted, and when the row of the cursor was deleted. A row
 * whose value changes between two requests may be on neither page or on both; no other row is affected.
 *
 * @param list receives a `take` one larger than the page
 * @throws DomainError BAD_USER_INPUT for invalid sizes and cursors
 */
export async function orderedPage<Row extends { id: number }, Field extends string>(
  { orderBy, ...args }: PageArguments & { orderBy: Order<Field> },
  fields: OrderFields<Row, Field>,
  list: (window: OrderedWindow<Field>) => Promise<Row[]>,
  totalCount: () => number | Promise<number>,
) {
  const { take, fromEnd } = sizeOf(args);
  const after = positionIn(args.after, 'after', orderBy, fields);
  const before = positionIn(args.before, 'before', orderBy, fields);
  const rows = await list({
    ...orderBy,
    take: take + 1,
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    ...(fromEnd ? { fromEnd } : {}),
  });
  const hasMore = rows.length > take;
  const nodes = fromEnd ? rows.slice(Math.max(0, rows.length - take)) : rows.slice(0, take);
  const edges = nodes.map((node) => new Edge(node, orderBy.field, fields[orderBy.field]));
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

/** Computed on demand, because few queries select the cursor of each edge. */
class Edge<Row extends { id: number }> {
  readonly #name: string;
  readonly #field: OrderField<Row>;

  constructor(
    readonly node: Row,
    name: string,
    field: OrderField<Row>,
  ) {
    this.#name = name;
    this.#field = field;
  }

  get cursor(): string {
    const value = this.#field.of(this.node);
    const text = value instanceof Date ? value.getTime() : value;
    return Buffer.from(`${this.#name}:${this.node.id}:${text}`).toString('base64');
  }
}

function positionIn<Row, Field extends string>(
  cursor: string | null | undefined,
  argument: 'after' | 'before',
  { field }: Order<Field>,
  fields: OrderFields<Row, Field>,
): Position | undefined {
  if (cursor == null) return undefined;
  const parts = /^([A-Z_]+):(\d{1,10}):(.*)$/s.exec(Buffer.from(cursor, 'base64').toString('utf8'));
  const [, name = '', id = '', text = ''] = parts ?? [];
  if (parts === null || Number(id) > MAX_ROW_ID || !Object.hasOwn(fields, name)) throw notACursor(argument);
  if (name !== field)
    throw badInput(`This cursor belongs to the list sorted by ${name}, not by ${field}.`, {
      field: argument,
    });
  const value = fields[field].read(text);
  if (value === null) throw notACursor(argument);
  return { value, id: Number(id) };
}

const notACursor = (argument: string) => badInput('This is not a cursor of this list.', { field: argument });
