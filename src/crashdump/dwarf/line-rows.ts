/** Runs line programs (DWARF 5 §6.2.5) and keeps the rows that GDB would keep. */
import { Malformed } from '../bytes.js';
import { ascending } from '../order.js';
import type { WorkBudget } from './budget.js';
import { type LineHeader, readFileAfterName } from './line-header.js';

/** Rows by ascending address, one for each address; line 0 marks addresses without a known line. */
export interface LineRows {
  readonly addresses: Uint32Array;
  readonly files: Uint32Array;
  readonly lines: Uint32Array;
  /** 1 where a statement begins (`is_stmt`). */
  readonly statements: Uint8Array;
  /** The error that ended the program; the rows before it are valid. */
  readonly error: string | null;
}

/** The rows of a program before sorting: those of all sequences, one after the other, in columns. */
class RowColumns {
  readonly addresses: number[] = [];
  readonly files: number[] = [];
  readonly lines: number[] = [];
  readonly statements: number[] = [];

  get count(): number {
    return this.addresses.length;
  }

  push(address: number, file: number, line: number, isStatement: boolean): void {
    this.addresses.push(address);
    this.files.push(file);
    this.lines.push(line);
    this.statements.push(isStatement ? 1 : 0);
  }

  cutBackTo(count: number): void {
    this.addresses.length = count;
    this.files.length = count;
    this.lines.length = count;
    this.statements.length = count;
  }
}

/** A contiguous run of rows, which the linker keeps or moves as a whole. */
interface Sequence {
  /** Positions of its first row and behind its last row. */
  from: number;
  to: number;
  /** The address behind its code. */
  end: number;
  /** Whether its rows are in the order of their addresses, as compilers almost always write them. */
  isSorted: boolean;
}

const LNS = {
  copy: 1,
  advance_pc: 2,
  advance_line: 3,
  set_file: 4,
  set_column: 5,
  negate_stmt: 6,
  set_basic_block: 7,
  const_add_pc: 8,
  fixed_advance_pc: 9,
  set_prologue_end: 10,
  set_epilogue_begin: 11,
  set_isa: 12,
} as const;
const LNE = { end_sequence: 1, set_address: 2, define_file: 3, set_discriminator: 4 } as const;

/** Bit of a LEB128 byte: another byte follows. */
const MORE = 0x80;
/** Far above the largest object file of an ESP-IDF build. */
const MAX_ROWS = 4_000_000;

export function readLineRows(header: LineHeader, budget: WorkBudget): LineRows {
  const recorder = new Recorder();
  let error: string | null = null;
  try {
    run(header, budget, recorder);
  } catch (thrown) {
    if (!(thrown instanceof Malformed)) throw thrown;
    error = thrown.message;
  }
  return { ...inOrder(recorder), error };
}

function run(header: LineHeader, budget: WorkBudget, recorder: Recorder): void {
  const { program, opcodeBase, lineBase, lineRange, minimumInstructionLength, maximumOperations } = header;
  let address = 0;
  let operation = 0;
  let file = 1;
  let line = 1;
  let isStatement = header.defaultIsStatement;
  const reset = () => {
    address = 0;
    operation = 0;
    file = 1;
    line = 1;
    isStatement = header.defaultIsStatement;
  };
  const advance = (operations: number) => {
    if (maximumOperations === 1) {
      address = (address + minimumInstructionLength * operations) >>> 0;
      return;
    }
    const total = operation + operations;
    address = (address + minimumInstructionLength * Math.floor(total / maximumOperations)) >>> 0;
    operation = total % maximumOperations;
  };
  const advanceLine = (delta: number) => {
    line += delta;
    if (delta !== 0) recorder.startLine();
  };

  budget.spend(program.length);
  // Uses a local position instead of the reader's, because opcodes are the most frequent items of a firmware's ELF.
  const { bytes, length } = program;
  let at = 0;
  const unsigned = (): number => {
    const byte = bytes[at] ?? MORE;
    if (byte >= MORE) return read(() => program.uleb128());
    at += 1;
    return byte;
  };
  const signed = (): number => {
    const byte = bytes[at] ?? MORE;
    if (byte >= MORE) return read(() => program.sleb128());
    at += 1;
    return byte < 0x40 ? byte : byte - MORE;
  };
  const skip = (): void => {
    if ((bytes[at] ?? MORE) < MORE) at += 1;
    else read(() => program.skipLeb128());
  };
  const read = <T>(what: () => T): T => {
    program.seek(at);
    const value = what();
    at = program.position;
    return value;
  };

  while (at < length) {
    const opcode = bytes[at] ?? 0;
    at += 1;
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(Math.floor(adjusted / lineRange));
      advanceLine(lineBase + (adjusted % lineRange));
      recorder.record(address, file, line, isStatement);
      continue;
    }
    switch (opcode) {
      case 0: {
        const extended = read(() => program.split('extended line opcode', program.uleb128()));
        if (extended.length === 0) break;
        switch (extended.u8()) {
          case LNE.end_sequence:
            recorder.endSequence(address);
            reset();
            break;
          case LNE.set_address:
            address = extended.u32();
            operation = 0;
            break;
          case LNE.define_file:
            header.files.push(readFileAfterName(extended, extended.cString()));
            break;
          case LNE.set_discriminator:
            recorder.discriminate(extended.uleb128());
            break;
          default:
        }
        break;
      }
      case LNS.copy:
        recorder.record(address, file, line, isStatement);
        break;
      case LNS.advance_pc:
        advance(unsigned());
        break;
      case LNS.advance_line:
        advanceLine(signed());
        break;
      case LNS.set_file:
        file = unsigned();
        break;
      case LNS.set_column:
      case LNS.set_isa:
        skip();
        break;
      case LNS.negate_stmt:
        isStatement = !isStatement;
        break;
      case LNS.set_basic_block:
      case LNS.set_prologue_end:
      case LNS.set_epilogue_begin:
        break;
      case LNS.const_add_pc:
        advance(Math.floor((255 - opcodeBase) / lineRange));
        break;
      case LNS.fixed_advance_pc:
        address = (address + read(() => program.u16())) >>> 0;
        operation = 0;
        break;
      default:
        // §6.2.5.2: the header has the number of operands of unknown opcodes.
        for (let count = header.operandCounts[opcode - 1] ?? 0; count > 0; count--) skip();
    }
  }
}

/**
 * Keeps the rows with which GDB's table would answer, one for each address:
 * - of several rows at one address the last one is kept, but a row that begins a statement replaces one that does not;
 * - a change to another file drops the earlier file's row at the same address;
 * - a line that continues after rows with discriminators does not begin again;
 * - rows of line 0 are omitted, so that the previous line continues.
 */
class Recorder {
  readonly rows = new RowColumns();
  readonly sequences: Sequence[] = [];
  /** State of the sequence that is being recorded. */
  #from = 0;
  #isSorted = true;
  #file: number | null = null;
  #line = 0;
  #discriminator = 0;
  #lineHasDiscriminator = false;
  #address: number | null = null;
  #sawStatement = false;

  startLine(): void {
    this.#lineHasDiscriminator = this.#discriminator !== 0;
  }

  discriminate(discriminator: number): void {
    this.#discriminator = discriminator;
    if (discriminator !== 0) this.#lineHasDiscriminator = true;
  }

  record(address: number, file: number, line: number, isStatement: boolean): void {
    const isNewFile = file !== this.#file;
    const isHidden = isNewFile && address === this.#address && !isStatement && this.#sawStatement;
    if (!isHidden && line > 0) {
      if (isNewFile || line !== this.#line || !this.#lineHasDiscriminator) {
        this.#add(address, file, line, isStatement, isNewFile);
        this.#line = line;
      }
      this.#file = file;
    }
    if (address !== this.#address) {
      this.#address = address;
      this.#sawStatement = false;
    }
    this.#sawStatement ||= isStatement;
    this.#discriminator = 0;
  }

  endSequence(end: number): void {
    const { rows } = this;
    // Code that the linker dropped begins at address 0.
    const isKept = rows.count > this.#from && rows.addresses[this.#from] !== 0;
    if (isKept) this.sequences.push({ from: this.#from, to: rows.count, end, isSorted: this.#isSorted });
    else rows.cutBackTo(this.#from);
    this.#from = rows.count;
    this.#isSorted = true;
    this.#file = null;
    this.#line = 0;
    this.#discriminator = 0;
    this.#lineHasDiscriminator = false;
    this.#address = null;
    this.#sawStatement = false;
  }

  #add(address: number, file: number, line: number, isStatement: boolean, isNewFile: boolean): void {
    const { rows } = this;
    const last = rows.count - 1;
    if (last >= this.#from) {
      const lastAddress = rows.addresses[last] ?? 0;
      if (address < lastAddress) this.#isSorted = false;
      if (address === lastAddress) {
        if (!isNewFile && rows.statements[last] === 1 && !isStatement) return;
        rows.cutBackTo(last);
      }
    }
    if (rows.count >= MAX_ROWS) throw new Malformed(`line program: more than ${MAX_ROWS} rows`);
    rows.push(address, file, line, isStatement);
  }
}

function inOrder({ rows, sequences }: Recorder): Omit<LineRows, 'error'> {
  // Each sequence gets one more row, at its end.
  const size = sequences.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const addresses = new Uint32Array(size);
  const files = new Uint32Array(size);
  const lines = new Uint32Array(size);
  const statements = new Uint8Array(size);
  let count = 0;
  const copy = (row: number, limit: number) => {
    const address = rows.addresses[row] ?? 0;
    if (address >= limit) return;
    addresses[count] = address;
    files[count] = rows.files[row] ?? 0;
    lines[count] = rows.lines[row] ?? 0;
    statements[count] = rows.statements[row] ?? 0;
    count++;
  };
  const starts = sequences.map((sequence) => firstAddress(rows, sequence));
  const order = ascending(starts);
  for (const [index, position] of order.entries()) {
    const sequence = sequences[position];
    if (sequence === undefined) continue;
    // Where sequences overlap, which only broken files have, the one that begins later is used.
    const next = order[index + 1];
    const limit = Math.min(sequence.end, next === undefined ? Number.POSITIVE_INFINITY : (starts[next] ?? 0));
    const { from, to } = sequence;
    const sorted = sequence.isSorted ? null : ascending(rows.addresses.slice(from, to));
    for (let row = from; row < to; row++) copy(from + (sorted?.[row - from] ?? row - from), limit);
    addresses[count++] = limit;
  }
  return {
    addresses: addresses.subarray(0, count),
    files: files.subarray(0, count),
    lines: lines.subarray(0, count),
    statements: statements.subarray(0, count),
  };
}

function firstAddress({ addresses }: RowColumns, { from, to, isSorted }: Sequence): number {
  if (isSorted) return addresses[from] ?? 0;
  return addresses.slice(from, to).reduce((lowest, address) => Math.min(lowest, address));
}
