/** The registers of one task where it was stopped. All values are unsigned 32-bit numbers. */
export interface RegisterSet {
  pc: number;
  /** By DWARF number: x0..x31 on RISC-V, a0..a15 on Xtensa. */
  general: readonly number[];
  /** Other registers of the dump, with GDB's names and in GDB's order. */
  special: ReadonlyMap<string, number>;
  /** General registers, by DWARF number, and "pc" that nobody knows: they are 0 above. Absent when all are known. */
  missing?: ReadonlySet<number | 'pc'>;
}

/** The general registers that are known, by DWARF number. */
export function knownRegisters({ general, missing }: RegisterSet): Map<number, number> {
  const known = new Map<number, number>();
  for (const [index, value] of general.entries()) if (!missing?.has(index)) known.set(index, value);
  return known;
}

/** The cause of the exception. Values that the dump does not contain are null or empty. */
export interface ExceptionRegisters {
  /** Xtensa: EXCCAUSE, or 64 + n for the pseudo causes of ESP-IDF's panic handler. RISC-V: mcause. */
  cause: number | null;
  /** The accessed address, for the causes that have one. Xtensa: EXCVADDR. RISC-V: mtval. */
  address: number | null;
  /** Xtensa: [level, value] pairs in the order of the dump. */
  epc: readonly (readonly [number, number])[];
  eps: readonly (readonly [number, number])[];
}

export const NO_EXCEPTION: ExceptionRegisters = { cause: null, address: null, epc: [], eps: [] };
