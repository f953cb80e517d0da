/**
 * Drops rows without their parent. Prisma reads a relation in a second statement: if the parent was deleted in between,
 * and the row with it, the relation is null although its type says otherwise.
 *
 * @param parent the relation that was selected
 */
export function wholeRows<Row extends object>(rows: readonly Row[], parent: keyof Row): Row[] {
  return rows.filter((row) => row[parent] !== null);
}

/** The same for one row; null when there is none. */
export function wholeRow<Row extends object>(row: Row | null, parent: keyof Row): Row | null {
  return row === null || row[parent] === null ? null : row;
}
