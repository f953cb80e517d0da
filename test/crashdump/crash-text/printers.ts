/** Texts of crashes as ESP-IDF and others print them, made from values (esp_system/panic.c, panic_arch.c, debug_helpers.c). */

export interface Pair {
  pc: number;
  sp: number;
}

export function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

export const XTENSA_NAMES = [
  ...['PC', 'PS', 'A0', 'A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A8', 'A9', 'A10', 'A11', 'A12', 'A13'],
  ...['A14', 'A15', 'SAR', 'EXCCAUSE', 'EXCVADDR', 'LBEG', 'LEND', 'LCOUNT'],
];
export const RISCV_NAMES = [
  ...['MEPC', 'RA', 'SP', 'GP', 'TP', 'T0', 'T1', 'T2', 'S0/FP', 'S1', 'A0', 'A1', 'A2', 'A3', 'A4', 'A5'],
  ...['A6', 'A7', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9', 'S10', 'S11', 'T3', 'T4', 'T5', 'T6'],
  ...['MSTATUS', 'MTVEC', 'MCAUSE', 'MTVAL', 'MHARTID'],
];

/** A value for each register that no other one has, so that a mix-up shows. */
export function registersOf(
  names: readonly string[],
  values: Record<string, number> = {},
): Map<string, number> {
  return new Map(names.map((name, index) => [name, values[name] ?? 0x1000_0000 + index * 0x0101_0101]));
}

/** As the reader names them. */
export function named(registers: ReadonlyMap<string, number>): Map<string, number> {
  return new Map(
    [...registers].map(([name, value]) => [name === 'S0/FP' ? 's0' : name.toLowerCase(), value]),
  );
}

/** `panic_print_registers`: four cells a line, two blanks behind each. */
export function registerDump(core: number | null, registers: ReadonlyMap<string, number>): string {
  const cells = [...registers].map(([name, value]) => `${name.padEnd(8)}: 0x${hex(value)}  `);
  const header = core === null ? 'Register dump:' : `Core ${decimal(core)} register dump:`;
  let text = header;
  for (const [index, cell] of cells.entries()) text += (index % 4 === 0 ? '\r\n' : '') + cell;
  return `${text}\r\n`;
}

/** `panic_print_dec` prints two columns. */
function decimal(value: number): string {
  return String(value).padStart(2);
}

export function guru(core: number, reason: string, isUnhandled = true): string {
  const description = isUnhandled ? 'Exception was unhandled.' : '';
  return `Guru Meditation Error: Core ${decimal(core)} panic'ed (${reason}). ${description}\r\n`;
}

/** Blanks by version: before every entry; none before the first (4.2, 4.3); none before and behind the first (4.4 to 4.4.2). */
export type Blanks = 'before' | 'between' | 'glued';

/** @param mark " |<-CORRUPTED", " |<-CONTINUES" */
export function backtrace(pairs: readonly Pair[], { blanks = 'before' as Blanks, mark = '' } = {}): string {
  const entries = pairs.map(({ pc, sp }) => `0x${hex(pc)}:0x${hex(sp)}`);
  const [first = '', ...others] = entries;
  const list = {
    before: entries.map((entry) => ` ${entry}`).join(''),
    between: entries.join(' '),
    glued: first + others.map((entry) => `${entry} `).join(''),
  }[blanks];
  return `\r\n\r\nBacktrace:${list}${mark}\r\n\r\n`;
}

/** `panic_print_basic_backtrace`: eight words a line. */
export function stackMemory(address: number, words: readonly number[], title = 'Stack memory:'): string {
  let text = `\r\n${title}\r\n`;
  for (let at = 0; at < words.length; at += 8) {
    const line = words.slice(at, at + 8).map((word) => `0x${hex(word)}`);
    text += `${hex(address + at * 4)}: ${line.join(' ')}\r\n`;
  }
  return text;
}

export function bytesOf(words: readonly number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(words.length * 4));
  for (const [index, word] of words.entries()) bytes.setUint32(index * 4, word, true);
  return new Uint8Array(bytes.buffer);
}

/** The kilobyte that ESP-IDF prints. */
export const STACK_WORDS = Array.from({ length: 256 }, (_, index) => (0x4200_0000 + index * 0x1357) >>> 0);

export const SHA = 'b0e1f2a3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f';

export function sha(digits: string): string {
  return `\r\n\r\nELF file SHA256: ${digits}\r\n\r\n`;
}

export const REBOOT = 'Rebooting...\r\n';

/** What follows on an ESP32. */
export const NEXT_BOOT =
  'ets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nconfigsip: 0, SPIWP:0xee\r\nclk_drv:0x00,q_drv:0x00,d_drv:0x00\r\nmode:DIO, clock div:2\r\nload:0x3fff0030,len:7084\r\nentry 0x400805e4\r\n';

export function logLine(level: string, time: number, tag: string, message: string): string {
  return `${level} (${time}) ${tag}: ${message}\r\n`;
}
