/** One physical frame while it is being unwound: what location expressions may ask for. */
export interface FrameContext {
  pc: number;
  /** Values by DWARF register number; a register that is not known in this frame is absent. */
  registers: ReadonlyMap<number, number>;
  /** Canonical frame address; null when the frame's caller could not be found. */
  cfa: number | null;
  /** The calling frame, for entry values; null for the outermost one. */
  caller: CallingFrame | null;
  /**
   * Memory of the dump, completed by the ELF's own bytes, and by zeroes where the ELF has none, as in GDB; null unless
   * every byte is there.
   */
  readMemory(address: number, length: number): Uint8Array | null;
}

/** A frame further out, as far as it is known. */
export interface CallingFrame {
  /** The return address. */
  pc: number;
  registers: ReadonlyMap<number, number>;
  /** When absent it is computed from the call-frame information. */
  cfa?: number | null;
  caller?: CallingFrame | null;
}
