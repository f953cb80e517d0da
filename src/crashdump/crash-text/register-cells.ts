/** What panic handlers of ESP-IDF print, in their order (panic_arch.c). EPC1 to EPC4 are printed for an interrupt handler. */
const XTENSA_REGISTERS: readonly string[] = [
  ...['pc', 'ps'],
  ...Array.from({ length: 16 }, (_, index) => `a${index}`),
  ...['sar', 'exccause', 'excvaddr', 'lbeg', 'lend', 'lcount'],
];
const LEVELS = ['epc1', 'epc2', 'epc3', 'epc4'];
const RISCV_REGISTERS: readonly string[] = [
  ...['mepc', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1'],
  ...Array.from({ length: 8 }, (_, index) => `a${index}`),
  ...Array.from({ length: 10 }, (_, index) => `s${index + 2}`),
  ...['t3', 't4', 't5', 't6', 'mstatus', 'mtvec', 'mcause', 'mtval', 'mhartid'],
];

const KNOWN: ReadonlySet<string> = new Set([...XTENSA_REGISTERS, ...LEVELS, ...RISCV_REGISTERS]);

/** Names that others give them: NuttX, Zephyr, ESP-IDF's "S0/FP". */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  's0/fp': 's0',
  cause: 'exccause',
  vaddr: 'excvaddr',
  lcnt: 'lcount',
  epc: 'mepc',
};

export type Cell = readonly [name: string, value: number];

/** `A10     : 0x3ffb4e90  `: a damaged cell is no cell. */
const CELL = /(?<![A-Za-z0-9/])([A-Z][A-Z0-9/]{0,7}) {0,8}: {0,2}0x([0-9a-fA-F]{8})(?![0-9a-zA-Z])/g;

export function cellsOf(line: string): Cell[] {
  return line.includes(': ') ? cells(line, CELL) : [];
}

/** `A0: 82012d10 ` of NuttX. */
const BARE_CELL = /(?<![A-Za-z0-9/])([A-Z][A-Z0-9]{0,7}): {0,2}([0-9a-fA-F]{8})(?![0-9a-zA-Z])/g;

export function bareCellsOf(line: string): Cell[] {
  return cells(line, BARE_CELL);
}

/** @param pattern name and hexadecimal value in its groups */
export function cells(line: string, pattern: RegExp): Cell[] {
  return [...line.matchAll(pattern)].flatMap(([, name = '', value = '']): Cell[] => {
    const lower = name.toLowerCase();
    const known = OTHER_NAMES[lower] ?? lower;
    return KNOWN.has(known) ? [[known, Number.parseInt(value, 16)]] : [];
  });
}

/** "xtensa", "riscv", or null where names do not tell. */
export function architectureOf(registers: ReadonlyMap<string, number>): string | null {
  for (const name of registers.keys()) {
    if (name.startsWith('a')) continue;
    return RISCV_ONLY.has(name) ? 'riscv' : 'xtensa';
  }
  // A0 to A7 are of both.
  return [...registers.keys()].some((name) => /^a(?:[89]|1\d)$/.test(name)) ? 'xtensa' : null;
}

const RISCV_ONLY: ReadonlySet<string> = new Set(RISCV_REGISTERS.filter((name) => !/^a\d$/.test(name)));

/** Names that a whole dump of registers has and this one lacks. */
export function missingRegisters(registers: ReadonlyMap<string, number>): string[] {
  const all = architectureOf(registers) === 'riscv' ? RISCV_REGISTERS : XTENSA_REGISTERS;
  return all.filter((name) => !registers.has(name));
}
