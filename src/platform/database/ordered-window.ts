import { Prisma } from './client.js';

/** Lists that a person sorts by one of several fields. Among equal values the id decides, so every order is total. */

export interface Order<Field extends string> {
  field: Field;
  direction: 'ASC' | 'DESC';
}

/** The value of a row in the field that the list is sorted by. Never null: see `orderColumns`. */
export type OrderValue = string | number | Date;

/** The limit of a page. */
export interface Position {
  value: OrderValue;
  id: number;
}

/** `take` rows between two positions, both exclusive, in the given order. */
export interface OrderedWindow<Field extends string> extends Order<Field> {
  take: number;
  after?: Position;
  before?: Position;
  /** Takes them from the end of the list; the result is still in the given order. */
  fromEnd?: boolean;
}

/**
 * SQL for each field of an order: an expression that is never null, because null is neither before nor after a value.
 * `null`: the field is sorted by the id alone.
 */
export type OrderColumns<Field extends string> = Record<Field, OrderColumn | null>;

interface OrderColumn {
  sql: Prisma.Sql;
  /** What is compared with a position's value, where that is not the value itself. */
  bound?: (value: OrderValue) => Prisma.Sql;
}

/** The condition and the order of a window. @param id SQL of the row's id */
export function windowSql<Field extends string>(
  columns: OrderColumns<Field>,
  id: Prisma.Sql,
  { field, direction, after, before, fromEnd }: OrderedWindow<Field>,
): { within: Prisma.Sql; order: Prisma.Sql } {
  const column = columns[field];
  const isAscending = direction === 'ASC';
  const past = (position: Position, isGreater: boolean) => {
    const sign = isGreater ? Prisma.sql`>` : Prisma.sql`<`;
    if (column === null) return Prisma.sql`${id} ${sign} ${position.id}`;
    const value = column.bound?.(position.value) ?? Prisma.sql`${position.value}`;
    return Prisma.sql`(${column.sql}, ${id}) ${sign} (${value}, ${position.id})`;
  };
  const bounds = [
    after === undefined ? null : past(after, isAscending),
    before === undefined ? null : past(before, !isAscending),
  ].filter((bound) => bound !== null);
  const way = isAscending === (fromEnd === true) ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  return {
    within: bounds.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(bounds, ' AND '),
    order: column === null ? Prisma.sql`${id} ${way}` : Prisma.sql`${column.sql} ${way}, ${id} ${way}`,
  };
}

/** Rows of a window in the list's order, as they were read from one of its ends. */
export function inOrder<Row>(rows: Row[], { fromEnd }: { fromEnd?: boolean }): Row[] {
  return fromEnd === true ? rows.reverse() : rows;
}
