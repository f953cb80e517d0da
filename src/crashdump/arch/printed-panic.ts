import type { ExceptionRegisters, RegisterSet } from './registers.js';

/** Values of a register dump by the names that ESP-IDF prints, in lower case. */
export type PrintedRegisters = ReadonlyMap<string, number>;

/** How ESP-IDF prints a crash on one architecture (panic_arch.c). */
export interface PrintedPanic {
  /** Backtraces have the pc and return addresses; otherwise all their addresses lie in call instructions. */
  readonly printsReturnAddresses: boolean;
  /** The return address behind an address in a call instruction, as a text prints it. */
  returnAddressAfter(call: number): number;
  /** Causes in `ExceptionRegisters` by the name in "panic'ed (NAME)", in lower case: this decides, not the register. */
  readonly causes: ReadonlyMap<string, number>;
  /** Names of the exception registers: "exccause", "mcause". */
  readonly cause: string;
  readonly faultAddress: string;
  readonly pc: string;
  readRegisters(printed: PrintedRegisters): RegisterSet;
  /** The saved addresses of exceptions on other levels. */
  readLevels(printed: PrintedRegisters): ExceptionRegisters['epc'];
  /** Without the mark of a register window. */
  plainAddress(address: number): number;
  /** The return address in the registers, where a function always keeps it; null where it may have moved. */
  returnAddress(registers: RegisterSet): number | null;
}

/** Registers by DWARF number; those without a value are missing. */
export function registersNamed(
  names: readonly string[],
  pc: string,
  special: readonly string[],
  printed: PrintedRegisters,
): RegisterSet {
  const missing = new Set<number | 'pc'>();
  const general = names.map((name, index) => {
    const value = name === '' ? 0 : printed.get(name);
    if (value === undefined) missing.add(index);
    return value ?? 0;
  });
  if (!printed.has(pc)) missing.add('pc');
  return {
    pc: printed.get(pc) ?? 0,
    general,
    special: new Map(special.flatMap((name) => pair(name, printed.get(name)))),
    missing,
  };
}

function pair(name: string, value: number | undefined): [string, number][] {
  return value === undefined ? [] : [[name, value]];
}
