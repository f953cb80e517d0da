import DataLoader from './data-loader.js';

/** Rows of one table for one request, each read once. Null: there is none. */
export interface RowsById<Row> {
  /** At once where the row is known: a promise for each of some thousand that ask costs more than the row. */
  load(id: number): Row | null | Promise<Row | null>;
  /** Of a row that was read by another way. */
  know(row: Row): void;
}

/** @param read in one statement, in any order */
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
