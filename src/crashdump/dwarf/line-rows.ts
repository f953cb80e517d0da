/** Runs line programs (DWARF 5 §6.2.5) and keeps the rows that GDB would keep. */
import { Malformed } from '../bytes.js';
import type { WorkBudget } from './budget.js';
import { type LineHeader, readFileAfterName } from './line-header.js';

/** Rows by ascending address, one for each; line 0 marks where nothing is known from here on. */
export interface LineRows {
  readonly addresses: Uint32Array;
  readonly files: Uint32Array;
  readonly lines: Uint32Array;
  /** 1 where a statement begins (`is_stmt`). */
  readonly statements: Uint8Array;
  /** What broke the program off; the rows before it are there. */
  readonly error: string | null;
}

interface Row {
  address: number;
  file: number;
  line: number;
  isStatement: boolean;
}

interface Sequence {
  rows: Row[];
  end: number;
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

/** The largest object file of an ESP-IDF build has some 50,000. */
const MAX_ROWS = 4_000_000;

export function readLineRows(header: LineHeader, budget: WorkBudget): LineRows {
  const sequences: Sequence[] = [];
  let error: string | null = null;
  try {
    run(header, budget, sequences);
  } catch (thrown) {
    if (!(thrown instanceof Malformed)) throw thrown;
    error = thrown.message;
  }
  return { ...flatten(sequences), error };
}

function run(header: LineHeader, budget: WorkBudget, sequences: Sequence[]): void {
  const { program, opcodeBase, lineBase, lineRange, minimumInstructionLength, maximumOperations } = header;
  const recorder = new Recorder(sequences);
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
    const total = operation + operations;
    address = (address + minimumInstructionLength * Math.floor(total / maximumOperations)) >>> 0;
    operation = total % maximumOperations;
  };
  const advanceLine = (delta: number) => {
    line += delta;
    if (delta !== 0) recorder.startLine();
  };

  while (!program.atEnd) {
    budget.spend(1);
    const opcode = program.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(Math.floor(adjusted / lineRange));
      advanceLine(lineBase + (adjusted % lineRange));
      recorder.record(address, file, line, isStatement);
      continue;
    }
    switch (opcode) {
      case 0: {
        const extended = program.split('extended line opcode', program.uleb128());
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
        advance(program.uleb128());
        break;
      case LNS.advance_line:
        advanceLine(program.sleb128());
        break;
      case LNS.set_file:
        file = program.uleb128();
        break;
      case LNS.set_column:
      case LNS.set_isa:
        program.skipLeb128();
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
        address = (address + program.u16()) >>> 0;
        operation = 0;
        break;
      default:
        // §6.2.5.2: the header says how many operands an opcode has that is not known.
        for (let count = header.operandCounts[opcode - 1] ?? 0; count > 0; count--) program.skipLeb128();
    }
  }
}

/**
 * Keeps what GDB's table would answer with, and that is one row for an address:
 * - of several rows at one address the last one counts, but one that is no statement gives way to one that is;
 * - a change to another file drops what the earlier one had at the same address;
 * - a line that comes again after rows with discriminators does not begin anew;
 * - rows of line 0 are left out, so that the line before them goes on.
 */
class Recorder {
  #rows: Row[] = [];
  #count = 0;
  #file: number | null = null;
  #line = 0;
  #discriminator = 0;
  #lineHasDiscriminator = false;
  #address: number | null = null;
  #sawStatement = false;
  #isSorted = true;

  constructor(private readonly sequences: Sequence[]) {}

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
        this.#add({ address, file, line, isStatement }, isNewFile);
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
    // What the linker dropped begins at address 0.
    const start = this.#rows[0]?.address ?? 0;
    if (!this.#isSorted) this.#rows.sort((a, b) => a.address - b.address);
    if (start !== 0) this.sequences.push({ rows: this.#rows, end });
    this.#rows = [];
    this.#isSorted = true;
    this.#file = null;
    this.#line = 0;
    this.#discriminator = 0;
    this.#lineHasDiscriminator = false;
    this.#address = null;
    this.#sawStatement = false;
  }

  #add(row: Row, isNewFile: boolean): void {
    const last = this.#rows.at(-1);
    if (last !== undefined && row.address < last.address) this.#isSorted = false;
    if (last !== undefined && last.address === row.address) {
      if (!isNewFile && last.isStatement && !row.isStatement) return;
      this.#rows.pop();
      this.#count--;
    }
    if (++this.#count > MAX_ROWS) throw new Malformed(`line program: more than ${MAX_ROWS} rows`);
    this.#rows.push(row);
  }
}

function flatten(sequences: readonly Sequence[]): Omit<LineRows, 'error'> {
  const addresses: number[] = [];
  const files: number[] = [];
  const lines: number[] = [];
  const statements: number[] = [];
  const push = ({ address, file, line, isStatement }: Row) => {
    addresses.push(address);
    files.push(file);
    lines.push(line);
    statements.push(isStatement ? 1 : 0);
  };
  const byStart = sequences.toSorted((a, b) => (a.rows[0]?.address ?? 0) - (b.rows[0]?.address ?? 0));
  for (const [index, { rows, end }] of byStart.entries()) {
    // Where sequences overlap, which only broken files do, the one that begins later counts.
    const next = byStart[index + 1]?.rows[0]?.address ?? Number.POSITIVE_INFINITY;
    const limit = Math.min(end, next);
    for (const row of rows) if (row.address < limit) push(row);
    push({ address: limit, file: 0, line: 0, isStatement: false });
  }
  return {
    addresses: Uint32Array.from(addresses),
    files: Uint32Array.from(files),
    lines: Uint32Array.from(lines),
    statements: Uint8Array.from(statements),
  };
}
