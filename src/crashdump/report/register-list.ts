import { hex32 } from '../arch/registers.js';
import { windowedReturnAddress } from '../arch/xtensa/registers.js';
import type { Dump } from '../core/read-dump.js';
import type { FirmwareImage, FirmwareSection } from '../firmware/firmware-image.js';
import type { Register } from '../report.js';
import { telltale } from './fill-patterns.js';

/** x1 to x31 by their ABI names, as GDB orders them. */
const RISCV_NAMES = [
  ...['ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 'fp', 's1'],
  ...['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
  ...['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11'],
  ...['t3', 't4', 't5', 't6'],
];

/** Of the crashed task, in the order in which the peer prints them. */
export function listRegisters(dump: Dump, firmware: FirmwareImage | null): Register[] {
  const registers = dump.tasks[0]?.registers;
  if (!registers) return [];
  const values: [string, number][] =
    registers.xtensa === null
      ? [
          ...RISCV_NAMES.map((name, index): [string, number] => [name, registers.general[index + 1] ?? 0]),
          ['pc', registers.pc],
        ]
      : [
          ...exceptionRegisters(dump),
          ['pc', registers.pc],
          ['lbeg', registers.xtensa.lbeg],
          ['lend', registers.xtensa.lend],
          ['lcount', registers.xtensa.lcount],
          ['sar', registers.xtensa.sar],
          ['ps', registers.xtensa.ps],
          ...registers.general.map((value, index): [string, number] => [
            `a${index}`,
            shownValue(value, index, dump),
          ]),
        ];
  return values.map(([name, value]) => ({
    name,
    value: hex32(value),
    symbol: symbolText(firmware, value),
    meaning: telltale(value),
  }));
}

/** Of a BIN v1 dump the peer of its time showed where a0 returns to, without the call size in its top bits. */
function shownValue(value: number, index: number, { format }: Dump): number {
  return index === 0 && format === 'BIN v1' && value !== 0 ? windowedReturnAddress(value) : value;
}

/** The peer lists EPC1 to EPC7 and EPS2 to EPS7 of a BIN v2 dump, which has none, as zeros; so does this. */
const NO_LEVELS = (first: number): [number, number][] =>
  Array.from({ length: 8 - first }, (_, index) => [first + index, 0]);

function exceptionRegisters({ exception, format }: Dump): [string, number][] {
  const list: [string, number][] = [];
  if (exception.exccause !== null) list.push(['exccause', exception.exccause]);
  if (exception.excvaddr !== null) list.push(['excvaddr', exception.excvaddr]);
  const isBin = format.startsWith('BIN v2');
  for (const [level, value] of isBin ? NO_LEVELS(1) : exception.epc) list.push([`epc${level}`, value]);
  for (const [level, value] of isBin ? NO_LEVELS(2) : exception.eps) list.push([`eps${level}`, value]);
  return list;
}

/** "panic_abort+18", as GDB writes it between angle brackets: only for addresses in a section of the firmware. */
export function symbolText(firmware: FirmwareImage | null, address: number): string | null {
  if (!firmware?.sections.some((section) => holds(section, address))) return null;
  const symbol = firmware.symbolAt(address);
  if (!symbol) return null;
  return address === symbol.address ? symbol.name : `${symbol.name}+${address - symbol.address}`;
}

function holds({ address: start, size, flags }: FirmwareSection, address: number): boolean {
  return flags.alloc && address >= start && address < start + size;
}
