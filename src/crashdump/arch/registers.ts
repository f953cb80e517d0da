/** The registers of one task where it was stopped. All values are unsigned 32-bit numbers. */
export interface RegisterSet {
  pc: number;
  /** By DWARF number: x0..x31 on RISC-V, a0..a15 on Xtensa. */
  general: readonly number[];
  /** Others that the dump holds, by the names that GDB has for them and in its order. */
  special: ReadonlyMap<string, number>;
}

/** Why the processor stopped. What the dump does not say is null or empty. */
export interface ExceptionRegisters {
  /** Xtensa: EXCCAUSE, or 64 + n for the pseudo causes of ESP-IDF's panic handler. RISC-V: mcause. */
  cause: number | null;
  /** The address that was touched, for the causes that have one. Xtensa: EXCVADDR. RISC-V: mtval. */
  address: number | null;
  /** Xtensa: [level, value] pairs in the order of the dump. */
  epc: readonly (readonly [number, number])[];
  eps: readonly (readonly [number, number])[];
}

export const NO_EXCEPTION: ExceptionRegisters = { cause: null, address: null, epc: [], eps: [] };
