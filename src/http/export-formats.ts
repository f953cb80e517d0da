import type { Export } from '../exports/service.js';
import type { Cell } from '../exports/types.js';

/** How a list is written to a file. */
export const EXPORT_FORMATS = ['csv', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const CONTENT_TYPES: Record<ExportFormat, string> = {
  csv: 'text/csv; charset=utf-8; header=present',
  json: 'application/json; charset=utf-8',
};

/** The file in pieces; a piece has the rows that were read together. */
export const WRITERS: Record<ExportFormat, (list: Export) => AsyncGenerator<string, void>> = {
  csv: toCsv,
  json: toJson,
};

/** RFC 4180, with a row of names. Texts that a spreadsheet would calculate begin with an apostrophe. */
async function* toCsv({ columns, rows }: Export): AsyncGenerator<string, void> {
  yield lineOf(columns);
  for await (const some of rows) {
    if (some.length > 0) yield some.map((row) => lineOf(columns.map((name) => row[name] ?? null))).join('');
  }
}

function lineOf(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** Begins a formula, or becomes one when a spreadsheet trims it. */
const FORMULA = /^[\s]*[=+\-@\t\r]/;

export function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = cell instanceof Date ? cell.toISOString() : cell;
  const inert = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** One array with an object a line. */
async function* toJson({ rows }: Export): AsyncGenerator<string, void> {
  let before = '[\n';
  for await (const some of rows) {
    if (some.length === 0) continue;
    yield before + some.map((row) => JSON.stringify(row)).join(',\n');
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
