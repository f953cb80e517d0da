import { createXtensaUnwinder } from '../../src/crashdump/arch/xtensa/unwinder.js';
import { openContainer } from '../../src/crashdump/core/container.js';
import type { Dump } from '../../src/crashdump/core/core.js';
import { readDump } from '../../src/crashdump/core/read-dump.js';
import { followCallers } from '../../src/crashdump/unwind/follow-callers.js';

/** What the device of a dump would have printed: its registers and memory in the form of ESP-IDF's panic handler. */

export function openDump(core: Uint8Array): Dump {
  return readDump(openContainer(core), null);
}

export interface Printing {
  /** Digits of the ELF's hash; 0 leaves the line out. Without it those of the dump. */
  sha?: number;
  /** Bytes of the stack on RISC-V. */
  stackBytes?: number;
  /** The release whose form of a backtrace it is. */
  glued?: boolean;
  mark?: ' |<-CORRUPTED' | ' |<-CONTINUES';
  /** Xtensa without registers, as abort() has it. */
  withoutRegisters?: boolean;
}

/** The panic text of a dump's crashed task. @param reason in the parentheses of "panic'ed (…)"; null for an abort */
export function printPanic(dump: Dump, reason: string | null, printing: Printing = {}): string {
  const body = dump.architecture.name === 'xtensa' ? xtensaBody(dump, printing) : riscvBody(dump, printing);
  const sha = (dump.appElfSha256 ?? '').slice(0, printing.sha ?? 64);
  return [
    ...(reason === null
      ? ['', dump.panicDetails ?? '']
      : [`Guru Meditation Error: Core  0 panic'ed (${reason}). Exception was unhandled.`]),
    '',
    ...body,
    '',
    '',
    ...(sha === '' ? [] : [`ELF file SHA256: ${sha}`, '']),
    'Rebooting...',
    '',
  ].join('\r\n');
}

const RISCV = [
  ...['MEPC', 'RA', 'SP', 'GP', 'TP', 'T0', 'T1', 'T2', 'S0/FP', 'S1', 'A0', 'A1', 'A2', 'A3', 'A4', 'A5'],
  ...['A6', 'A7', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9', 'S10', 'S11', 'T3', 'T4', 'T5', 'T6'],
];

function riscvBody(dump: Dump, { stackBytes = 1024 }: Printing): string[] {
  const { pc, general } = registersOf(dump);
  const values = [pc, ...general.slice(1)];
  const cells: [string, number][] = [
    ...RISCV.map((name, index): [string, number] => [name, values[index] ?? 0]),
    ['MSTATUS', 0x1881],
    ['MTVEC', 0x40380001],
    ['MCAUSE', dump.exception.cause ?? 0],
    ['MTVAL', dump.exception.address ?? 0],
    ['MHARTID', 0],
  ];
  const sp = general[2] ?? 0;
  const lines: string[] = [];
  for (let at = sp; at < sp + stackBytes; at += 32) {
    const words = Array.from({ length: 8 }, (_, index) => wordAt(dump, at + index * 4));
    if (words.includes(null)) break;
    lines.push(`${hex(at)}: ${words.map((word) => `0x${hex(word ?? 0)}`).join(' ')}`);
  }
  return ['Core  0 register dump:', ...cellLines(cells), '', 'Stack memory:', ...lines];
}

function xtensaBody(dump: Dump, printing: Printing): string[] {
  const { pc, general, special } = registersOf(dump);
  const cells: [string, number][] = [
    ['PC', pc],
    ['PS', special.get('ps') ?? 0],
    ...general.map((value, index): [string, number] => [`A${index}`, value]),
    ['SAR', special.get('sar') ?? 0],
    ['EXCCAUSE', (dump.exception.cause ?? 0) % 64],
    ['EXCVADDR', dump.exception.address ?? 0],
    ['LBEG', special.get('lbeg') ?? 0],
    ['LEND', special.get('lend') ?? 0],
    ['LCOUNT', special.get('lcount') ?? 0],
  ];
  const registers = ['Core  0 register dump:', ...cellLines(cells), ''];
  return [...(printing.withoutRegisters ? [] : registers), backtraceLine(dump, printing)];
}

/** As the device walks the register windows: every address less 3, the first too. */
export function backtraceLine(dump: Dump, { glued = false, mark }: Printing = {}): string {
  const unwinder = createXtensaUnwinder(registersOf(dump), {
    read: dump.memory.read,
    images: [],
    isRom: () => false,
    exception: dump.exception,
  });
  const { frames } = followCallers(unwinder, { frames: 64 });
  const entries = frames.map(({ pc, registers }) => `0x${hex(pc - 3)}:0x${hex(registers.get(1) ?? 0)}`);
  const line = glued
    ? `Backtrace:${entries[0]}${entries.slice(1).join(' ')} `
    : `Backtrace: ${entries.join(' ')}`;
  return `${line}${mark ?? ''}`;
}

function registersOf({ tasks }: Dump) {
  const [task] = tasks;
  if (task === undefined) throw new Error('the dump has no task');
  return task.registers;
}

function wordAt(dump: Dump, address: number): number | null {
  const bytes = dump.memory.read(address, 4);
  return bytes === null ? null : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

function cellLines(cells: readonly [string, number][]): string[] {
  const lines: string[] = [];
  for (let at = 0; at < cells.length; at += 4)
    lines.push(
      cells
        .slice(at, at + 4)
        .map(([name, value]) => `${name.padEnd(8)}: 0x${hex(value)}  `)
        .join(''),
    );
  return lines;
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
