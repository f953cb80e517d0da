import Papa from 'papaparse';

/** A line of the file that can become a device. Null: not given. */
export interface ListedDevice {
  /** As editors count: 1 is the first line of the file. */
  readonly line: number;
  readonly serial: string | null;
  readonly key: string | null;
  readonly name: string | null;
}

export interface ListProblem {
  readonly line: number;
  /** A sentence that says what is wrong and what to do. */
  readonly message: string;
}

export interface DeviceList {
  readonly devices: readonly ListedDevice[];
  readonly problems: readonly ListProblem[];
  /** Columns of the header that are none of ours. */
  readonly ignoredColumns: readonly string[];
}

type Column = 'serial' | 'key' | 'name';

/** The order of a file without a header. */
const COLUMNS: readonly Column[] = ['serial', 'key', 'name'];
const NAMES: Readonly<Record<string, Column>> = {
  serial: 'serial',
  device_serial: 'serial',
  key: 'key',
  device_key: 'key',
  name: 'name',
};

/**
 * Reads a CSV file of devices with the columns serial, key and name: with a header in any order, or without one in this
 * order. Separators are commas, semicolons or tabs. A wrong line is a problem, and the others are read.
 *
 * @param text as `decodeText` gives it
 */
export function readDeviceList(text: string): DeviceList {
  // A workbook, or any other binary file: its lines would all be wrong, and none would say why.
  if (text.includes('\0'))
    return { devices: [], problems: [{ line: 1, message: NO_TEXT }], ignoredColumns: [] };
  const { rows, problems } = readRows(text);
  const [first, ...others] = rows;
  const header = first === undefined ? null : headerOf(first.cells);
  const columns = header ?? COLUMNS;
  const devices: ListedDevice[] = [];
  const seen = { serial: new Map<string, number>(), key: new Map<string, number>() };
  if (header !== null && first !== undefined && !header.includes('serial') && !header.includes('key')) {
    problems.push({ line: first.line, message: 'The header has neither a column "serial" nor "key".' });
    return { devices, problems, ignoredColumns: ignoredOf(header, first.cells) };
  }
  if (header === null && first !== undefined && isUnknownHeader(first, others)) {
    const message = `It looks like a header, but ${shown(first.cells.join(', '))} has neither "serial" nor "key": name the columns so, or remove the line.`;
    problems.push({ line: first.line, message });
    return { devices, problems, ignoredColumns: [] };
  }
  for (const { line, cells } of header === null ? rows : others) {
    const device = { line, ...cellsByColumn(columns, cells) };
    const message =
      extraCells(columns, cells, header !== null) ?? wrongIn(device) ?? repeatedIn(device, seen);
    if (message === null) devices.push(device);
    else problems.push({ line, message });
  }
  return {
    devices,
    problems: problems.sort((a, b) => a.line - b.line),
    ignoredColumns: header === null ? [] : ignoredOf(header, first?.cells ?? []),
  };
}

const NO_TEXT = 'The file is not text: save the list as CSV, not as a workbook.';

interface Row {
  line: number;
  cells: string[];
}

function readRows(text: string): { rows: Row[]; problems: ListProblem[] } {
  const separator = /^sep=(.)\r?\n/i.exec(text)?.[1];
  const start = separator === undefined ? 0 : text.indexOf('\n') + 1;
  const rows: Row[] = [];
  const problems: ListProblem[] = [];
  let line = separator === undefined ? 1 : 2;
  let from = start;
  Papa.parse<string[]>(text.slice(start), {
    delimiter: separator ?? separatorOf(text),
    step({ data, errors, meta }) {
      const cells = data.map((cell) => cell.trim());
      const [error] = errors.filter(({ type }) => type === 'Quotes');
      if (error !== undefined) {
        problems.push({
          line,
          message: 'A quotation mark is not closed, or stands inside a cell: write "" for it.',
        });
      } else if (cells.some((cell) => cell !== '')) {
        rows.push({ line, cells });
      }
      const end = start + meta.cursor;
      line += linesIn(text.slice(from, end));
      from = end;
    },
  });
  return { rows, problems };
}

/** The most frequent one of the first line that has any. The library's own guess needs more columns than two. */
function separatorOf(text: string): string {
  const line =
    text
      .replaceAll(/"[^"]*"/g, '')
      .split(/\r\n|\r|\n/)
      .find((each) => /[,;\t]/.test(each)) ?? '';
  const count = (separator: string) => line.split(separator).length;
  return [',', ';', '\t'].reduce((best, other) => (count(other) > count(best) ? other : best));
}

function linesIn(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}

/** Null when the row is not a header: no cell of it has the name of a column. */
function headerOf(cells: readonly string[]): Array<Column | null> | null {
  const columns = cells.map((cell) => NAMES[cell.toLowerCase().replaceAll(/[ -]/g, '_')] ?? null);
  return columns.some((column) => column !== null) ? columns : null;
}

/** Serials of a list are numbered. A first cell without a digit above them is a word: "mac" would become a device. */
function isUnknownHeader(first: Row, others: readonly Row[]): boolean {
  const isNumbered = ({ cells }: Row) => /\d/.test(cells[0] ?? '');
  return others.length > 0 && !isNumbered(first) && first.cells[0] !== '' && others.every(isNumbered);
}

function ignoredOf(header: ReadonlyArray<Column | null>, cells: readonly string[]): string[] {
  return cells.filter((cell, at) => header[at] === null && cell !== '');
}

function cellsByColumn(columns: ReadonlyArray<Column | null>, cells: readonly string[]) {
  const of = (column: Column) => cells[columns.indexOf(column)] || null;
  return { serial: of('serial'), key: of('key'), name: of('name') };
}

function extraCells(
  columns: ReadonlyArray<Column | null>,
  cells: readonly string[],
  hasHeader: boolean,
): string | null {
  if (!cells.slice(columns.length).some((cell) => cell !== '')) return null;
  return hasHeader
    ? `It has ${cells.length} cells, and the header has ${columns.length}.`
    : 'It has more than the three cells serial, key and name: add a header line that names the columns.';
}

function wrongIn({ serial, key, name }: Omit<ListedDevice, 'line'>): string | null {
  if (serial === null && key === null) return 'It has neither a serial nor a key.';
  if (serial !== null && /^\d[.,]\d+E\+\d+$/i.test(serial)) {
    return `${shown(serial)} is a number that the spreadsheet has rounded: format the column as text, and save it again.`;
  }
  if (serial !== null && !/^[A-Za-z0-9._:-]{1,64}$/.test(serial)) {
    return `The serial ${shown(serial)} is not 1 to 64 of A-Z, a-z, 0-9, ".", "_", ":" and "-".`;
  }
  if (key !== null && !/^[a-z0-9]{1,32}$/.test(key)) {
    return `The key ${shown(key)} is not 1 to 32 of a-z and 0-9.`;
  }
  if (name !== null && (name.length > 200 || /[\p{Cc}\p{Cs}]/u.test(name))) {
    return `The name ${shown(name)} is not 1 to 200 characters on one line, without control characters.`;
  }
  return null;
}

function repeatedIn(
  device: ListedDevice,
  seen: Readonly<Record<'serial' | 'key', Map<string, number>>>,
): string | null {
  for (const column of ['serial', 'key'] as const) {
    const value = device[column];
    if (value === null) continue;
    const earlier = seen[column].get(value);
    if (earlier !== undefined) return `The ${column} ${shown(value)} is already in line ${earlier}.`;
    seen[column].set(value, device.line);
  }
  return null;
}

/** Quoted, on one line, and cut to a length that fits into a message. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
