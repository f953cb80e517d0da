import DataLoader from './data-loader.js';

/** Rows of one table for one request, each read once. Null: the row does not exist. */
export interface RowsById<Row> {
  /** Not a promise if the row is known: thousands of promises cost more than the row. */
  load(id: number): Row | null | Promise<Row | null>;
  /** Adds a row that another query has read. */
  know(row: Row): void;
}

/** @param read reads rows in one statement, in any order */
export function rowsById<Row extends { id: number }>(
  read: (ids: readonly number[]) => Promise<Row[]>,
): RowsById<Row> {
  const known = new Map<number, Row | null>();
  const loader = new DataLoader<number, Row | null>(async (ids) => {
    const rows = new Map((await read(ids)).map((row) => [row.id, row]));
    for (const id of ids) known.set(id, rows.get(id) ?? null);
    return ids.map((id) => known.get(id) ?? null);
  });
  return {
    load: (id) => known.get(id) ?? loader.load(id),
    know: (row) => void known.set(row.id, row),
  };
}
