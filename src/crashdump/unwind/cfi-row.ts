/** A row of the call-frame table (DWARF 5 §6.4.1). Registers are DWARF numbers: x0..x31 and a0..a15. */
export interface CfiRow {
  cfa: { register: number; offset: number };
  /** A register that is not listed keeps its value if it is callee-saved. */
  rules: ReadonlyMap<number, CfiRule>;
  returnAddressRegister: number;
}

export type CfiRule =
  | { kind: 'undefined' }
  | { kind: 'same' }
  | { kind: 'offset'; offset: number }
  | { kind: 'valOffset'; offset: number }
  | { kind: 'register'; register: number };
