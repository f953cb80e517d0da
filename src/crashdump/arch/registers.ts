/** The registers of one task where it was stopped. All values are unsigned 32-bit numbers. */
export interface RegisterSet {
  pc: number;
  /** By DWARF number: x0..x31 on RISC-V, a0..a15 on Xtensa. */
  general: readonly number[];
  /** Null on RISC-V. */
  xtensa: XtensaSpecials | null;
}

export interface XtensaSpecials {
  ps: number;
  lbeg: number;
  lend: number;
  lcount: number;
  sar: number;
}

/** Why the processor stopped. Each is null where the dump does not say. */
export interface ExceptionRegisters {
  /** Xtensa: EXCCAUSE, or 64 + n for the pseudo causes of ESP-IDF's panic handler. */
  exccause: number | null;
  excvaddr: number | null;
  /** Xtensa: [level, value] pairs in the order of the dump. */
  epc: readonly (readonly [number, number])[];
  eps: readonly (readonly [number, number])[];
  /** RISC-V. */
  mcause: number | null;
  mtval: number | null;
}

export const NO_EXCEPTION: ExceptionRegisters = {
  exccause: null,
  excvaddr: null,
  epc: [],
  eps: [],
  mcause: null,
  mtval: null,
};

/** `0x` and eight digits: how addresses and register values are written in a report. */
export function hex32(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}
