import { NO_EXCEPTION } from '../arch/registers.js';
import type { Dump, DumpTask } from '../core/core.js';
import type { FirmwareImage, FirmwareSection } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import { readWord } from '../read-memory.js';
import type { Register } from '../report.js';
import { fillPattern } from './fill-patterns.js';

/** Registers of the crashed task, in the order in which the peer prints them. */
export function crashedRegisters(dump: Dump, firmware: FirmwareImage | null): Register[] {
  const [crashed] = dump.tasks;
  if (!crashed || crashed.printed?.registers.size === 0) return [];
  const { registers } = crashed;
  return listedRegisters(dump.architecture.listRegisters(registers, dump.exception, dump.format), firmware);
}

/** What a task has saved at its last switch; without values that the dump only fills up with zeros. */
export function savedRegisters(task: DumpTask, dump: Dump, firmware: FirmwareImage | null): Register[] {
  if (task.stackIsCorrupted) return [];
  const { savedByYield } = dump.architecture;
  const hasYielded = task.stack !== null && readWord(dump.memory.read, task.stack.start) === 0;
  const all = dump.architecture.listRegisters(task.registers, NO_EXCEPTION, '');
  return listedRegisters(
    savedByYield !== null && hasYielded ? all.filter(([name]) => savedByYield.includes(name)) : all,
    firmware,
  );
}

export function listedRegisters(
  values: readonly [string, number][],
  firmware: FirmwareImage | null,
): Register[] {
  return values.map(([name, value]) => ({
    name,
    value: hex32(value),
    symbol: symbolText(firmware, value),
    meaning: fillPattern(value),
  }));
}

/** "panic_abort+18", as GDB writes it in angle brackets: only for addresses in a section of the firmware. */
export function symbolText(firmware: FirmwareImage | null, address: number): string | null {
  if (!firmware?.sections.some((section) => holds(section, address))) return null;
  const symbol = firmware.symbolAt(address);
  if (!symbol) return null;
  return address === symbol.address ? symbol.name : `${symbol.name}+${address - symbol.address}`;
}

function holds({ address: start, size, flags }: FirmwareSection, address: number): boolean {
  return flags.alloc && address >= start && address < start + size;
}
