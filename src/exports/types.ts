/** What a cell of an export holds. */
export type Cell = string | number | null | Date;

/** A row by the names of its columns. */
export type ExportRow<Columns extends readonly string[] = readonly string[]> = Record<Columns[number], Cell>;

/** Rows that are in memory at once. */
export const ROWS_AT_ONCE = 500;
