import type { CfiRow, CfiRule } from '../../src/crashdump/unwind/cfi-row.js';

/** The tables that `readelf --debug-dump=frames-interp` prints, as an oracle for call-frame information. */
export interface FrameTable {
  start: number;
  end: number;
  /** By ascending address: the row in words. */
  rows: { from: number; row: string }[];
}

/** RISC-V registers by the names that binutils prints. */
const REGISTERS = [
  ...['zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1'],
  ...['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
  ...['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6'],
];
/** A CIE of GCC or clang for RISC-V without any rule; readelf prints no table for a description without instructions. */
const INITIAL = 'sp+0';

/** Functions that the linker dropped are left out: they are at 0. */
export function readFrameTables(text: string): FrameTable[] {
  const tables: FrameTable[] = [];
  let table: FrameTable | null = null;
  let columns: string[] = [];
  for (const line of text.split('\n')) {
    const range = /FDE .*pc=([0-9a-f]+)\.\.([0-9a-f]+)/.exec(line);
    if (range !== null) {
      const [start, end] = [Number.parseInt(range[1] ?? '', 16), Number.parseInt(range[2] ?? '', 16)];
      table = { start, end, rows: [{ from: start, row: INITIAL }] };
      if (start !== 0) tables.push(table);
      columns = [];
    } else if (/ CIE |ZERO terminator/.test(line)) table = null;
    else if (/^\s+LOC\s/.test(line)) columns = line.trim().split(/\s+/).slice(2);
    else if (/^[0-9a-f]{8} \S/.test(line) && table !== null) {
      const [from = '', cfa = '', ...rules] = line.trim().split(/\s+/);
      const known = columns.flatMap((name, index) =>
        rules[index] === 'u' ? [] : [`${name} ${rules[index]}`],
      );
      table.rows.push({ from: Number.parseInt(from, 16), row: [cfa, ...known.sort()].join(', ') });
    }
  }
  return tables;
}

/** The row at an address inside the table. */
export function rowIn(table: FrameTable, pc: number): string {
  return table.rows.findLast(({ from }) => from <= pc)?.row ?? '';
}

/** A row of ours in readelf's words; a register without a rule and an undefined one look the same there. */
export function rowInWords({ cfa, rules }: CfiRow): string {
  const known = [...rules].flatMap(([register, rule]) => {
    const words = ruleInWords(rule);
    return words === null ? [] : [`${REGISTERS[register]} ${words}`];
  });
  return [`${REGISTERS[cfa.register]}${signed(cfa.offset)}`, ...known.sort()].join(', ');
}

function ruleInWords(rule: CfiRule): string | null {
  switch (rule.kind) {
    case 'undefined':
      return null;
    case 'same':
      return 's';
    case 'offset':
      return `c${signed(rule.offset)}`;
    case 'valOffset':
      return `v${signed(rule.offset)}`;
    case 'register':
      return REGISTERS[rule.register] ?? '';
  }
}

function signed(offset: number): string {
  return offset < 0 ? String(offset) : `+${offset}`;
}
