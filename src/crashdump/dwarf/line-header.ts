/** The header of a line program: its parameters and its files (DWARF 5 §6.2.4). */
import { type ByteReader, Malformed } from '../bytes.js';
import { stringOf } from './dies.js';
import type { Unit } from './entries.js';
import { formOf, readForm } from './forms.js';
import { readOffset, readUnitLength } from './unit-length.js';

export interface LineHeader {
  readonly version: number;
  readonly minimumInstructionLength: number;
  readonly maximumOperations: number;
  readonly defaultIsStatement: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Number of operands of the standard opcodes, from opcode 1 on. */
  readonly operandCounts: readonly number[];
  readonly directories: readonly string[];
  /** The program may add more. */
  readonly files: LineFile[];
  readonly program: ByteReader;
}

export interface LineFile {
  readonly name: string;
  /** By the header's numbers: from 0 since DWARF 5; before that from 1, with 0 for the compilation directory. */
  readonly directoryIndex: number;
}

const LNCT = { path: 1, directory_index: 2 } as const;
const MAX_ENTRIES = 100_000;

/** @throws Malformed */
export function readLineHeader(unit: Unit, offset: number): LineHeader {
  const section = unit.file.section('.debug_line');
  section.seek(offset);
  const { length, isWide } = readUnitLength(section);
  const reader = section.split('line program', length);
  const version = reader.u16();
  if (version < 2 || version > 5) throw new Malformed(`line program version ${version} is not known`);
  if (version >= 5) {
    const addressSize = reader.u8();
    const segmentSize = reader.u8();
    if (addressSize !== 4 || segmentSize !== 0) throw new Malformed('line program: addresses of other size');
  }
  const headerLength = readOffset(reader, isWide);
  const programAt = reader.position + headerLength;
  const parameters = readParameters(reader, version);
  const tables = version >= 5 ? readTables(reader, unit, isWide) : readOldTables(reader, unit);
  const program = reader.slice('line program', programAt, reader.length - programAt);
  return { version, ...parameters, ...tables, program };
}

function readParameters(reader: ByteReader, version: number) {
  const minimumInstructionLength = reader.u8();
  const maximumOperations = version >= 4 ? reader.u8() : 1;
  const defaultIsStatement = reader.u8() !== 0;
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  if (lineRange === 0) throw new Malformed('line program: line_range is 0');
  if (opcodeBase === 0) throw new Malformed('line program: opcode_base is 0');
  const operandCounts = Array.from({ length: opcodeBase - 1 }, () => reader.u8());
  return {
    minimumInstructionLength,
    maximumOperations: Math.max(maximumOperations, 1),
    defaultIsStatement,
    lineBase,
    lineRange,
    opcodeBase,
    operandCounts,
  };
}

/** DWARF 4 §6.2.4: two lists, each ended by an empty name. */
function readOldTables(reader: ByteReader, unit: Unit): { directories: string[]; files: LineFile[] } {
  const directories: string[] = [];
  for (let name = reader.cString(); name !== ''; name = reader.cString()) {
    unit.file.budget.spend(name.length);
    directories.push(name);
  }
  const files: LineFile[] = [];
  for (let name = reader.cString(); name !== ''; name = reader.cString()) {
    unit.file.budget.spend(name.length);
    files.push(readFileAfterName(reader, name));
  }
  return { directories, files };
}

/** The rest of a file entry in DWARF 2 to 4, also the operands of DW_LNE_define_file. */
export function readFileAfterName(reader: ByteReader, name: string): LineFile {
  const directoryIndex = reader.uleb128();
  reader.skipLeb128(); // modification time
  reader.skipLeb128(); // length
  return { name, directoryIndex };
}

/** DWARF 5 §6.2.4.1: tables that describe their own columns. */
function readTables(
  reader: ByteReader,
  unit: Unit,
  isWide: boolean,
): { directories: string[]; files: LineFile[] } {
  const directories = readTable(reader, unit, isWide).map(({ name }) => name);
  return { directories, files: readTable(reader, unit, isWide) };
}

function readTable(reader: ByteReader, unit: Unit, isWide: boolean): LineFile[] {
  const columns = Array.from({ length: reader.u8() }, () => ({
    content: reader.uleb128(),
    form: formOf(reader.uleb128(), isWide),
  }));
  const count = reader.uleb128();
  // The number of rows is bounded by the remaining bytes: a row has at least one byte, unless its columns are empty.
  if (count > MAX_ENTRIES || count > reader.remaining)
    throw new Malformed(`line program: a table of ${count} rows`);
  return Array.from({ length: count }, () => readRow(reader, unit, columns));
}

function readRow(
  reader: ByteReader,
  unit: Unit,
  columns: readonly { content: number; form: number }[],
): LineFile {
  let name = '';
  let directoryIndex = 0;
  for (const { content, form } of columns) {
    unit.file.budget.spend(4);
    const value = readForm(reader, form, 0, 0);
    if (content === LNCT.path) {
      name = value.kind === 'string' ? textAt(reader, value.offset) : (stringOf(unit, value) ?? '');
    } else if (content === LNCT.directory_index && value.kind === 'constant') {
      directoryIndex = value.value;
    }
  }
  return { name, directoryIndex };
}

/** An inline string is in the line program itself, not in `.debug_info`. */
function textAt(reader: ByteReader, offset: number): string {
  const after = reader.position;
  reader.seek(offset);
  const text = reader.cString();
  reader.seek(after);
  return text;
}
