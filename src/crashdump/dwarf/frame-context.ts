/** One physical frame during unwinding: the data for location expressions. */
export interface FrameContext {
  pc: number;
  /** Values by DWARF register number; a register that is unknown in this frame is absent. */
  registers: ReadonlyMap<number, number>;
  /** Canonical frame address; null when the frame's caller could not be found. */
  cfa: number | null;
  /** The calling frame, for entry values; null for the outermost frame. */
  caller: CallingFrame | null;
  /** Memory of the dump, completed by the ELF's code and constants; null unless every byte is available. */
  readMemory(address: number, length: number): Uint8Array | null;
}

/** The data that is known of an outer frame. */
export interface CallingFrame {
  /** The return address. */
  pc: number;
  registers: ReadonlyMap<number, number>;
  /** When absent it is computed from the call-frame information. */
  cfa?: number | null;
  caller?: CallingFrame | null;
}
