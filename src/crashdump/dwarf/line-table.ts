import { lastAtOrBefore } from '../order.js';
import type { DebugFile } from './debug-file.js';
import type { Unit } from './entries.js';
import { type LineHeader, readLineHeader } from './line-header.js';
import { type LineRows, readLineRows } from './line-rows.js';
import type { UnitRoot } from './units.js';

/** Files and lines of one unit. */
export interface LineTable {
  rowAt(address: number): LineRow | null;
  /** The name as GDB prints it; null for numbers that the table does not have. */
  fileName(index: number): string | null;
}

export interface LineRow {
  readonly file: string | null;
  readonly line: number;
  /** First address of the row. */
  readonly start: number;
  /** False for rows in the middle of a statement. */
  readonly isStatement: boolean;
}

/** A table that cannot be read has no rows; a note says so. */
export function readLineTable(file: DebugFile, unit: Unit, root: UnitRoot): LineTable {
  const { lineProgramAt } = root;
  const what = `The line table of ${root.name ?? `the unit at ${unit.offset}`}`;
  const header =
    lineProgramAt === null ? null : file.attempt(what, null, () => readLineHeader(unit, lineProgramAt));
  if (header === null) return { rowAt: () => null, fileName: () => null };

  let rows: LineRows | undefined;
  const allRows = () => {
    if (rows === undefined) {
      rows = readLineRows(header, file.budget);
      if (rows.error !== null) file.note(`${what} breaks off: ${rows.error}.`);
    }
    return rows;
  };
  const names = new Map<number, string | null>();
  const fileName = (index: number) => {
    let name = names.get(index);
    if (name === undefined) {
      name = displayedName(header, index, root);
      names.set(index, name);
    }
    return name;
  };
  return {
    fileName,
    rowAt(address) {
      const { addresses, files, lines, statements } = allRows();
      const index = lastAtOrBefore(addresses, address);
      const line = lines[index] ?? 0;
      if (line === 0) return null;
      return {
        file: fileName(files[index] ?? 0),
        line,
        start: addresses[index] ?? 0,
        isStatement: statements[index] === 1,
      };
    },
  };
}

/**
 * A name is completed by its directory, but not by the compilation directory, which a DWARF 2 to 4 table omits; the
 * unit's main file keeps the unit's spelling.
 */
function displayedName(header: LineHeader, index: number, root: UnitRoot): string | null {
  const isModern = header.version >= 5;
  const file = header.files[isModern ? index : index - 1];
  if (file === undefined) return null;
  const directory = isModern
    ? header.directories[file.directoryIndex]
    : header.directories[file.directoryIndex - 1];
  const name = directory === undefined ? file.name : joined(directory, file.name);
  const absolute = (path: string) =>
    root.compilationDirectory === null ? path : joined(root.compilationDirectory, path);
  return root.name !== null && absolute(root.name) === absolute(name) ? root.name : name;
}

function joined(directory: string, name: string): string {
  return name.startsWith('/') ? name : `${directory}/${name}`;
}
