import type { FrameTrust } from '../report.js';
import type { CfiRow } from './cfi-row.js';

/** One activation of a function that really has a frame on the stack (inlined ones share it). */
export interface PhysicalFrame {
  pc: number;
  sp: number;
  /** Values by DWARF register number; absent where a frame does not tell its caller's. */
  registers: ReadonlyMap<number, number>;
  trust: FrameTrust;
}

export interface Step<Frame extends PhysicalFrame> {
  /** Canonical frame address of the frame asked about; null when unknown. */
  cfa: number | null;
  /** The frame that called it; null at the end. */
  caller: Frame | null;
  /** Why there is no caller, in GDB's words; null when the frame is simply the outermost one. */
  end: string | null;
}

/** How one architecture finds callers. Each has the same two questions to answer. */
export interface Unwinder<Frame extends PhysicalFrame> {
  first(): Frame;
  callerOf(frame: Frame, level: number): Step<Frame>;
}

/** What unwinding asks of a firmware's or a ROM's ELF. */
export interface CodeImage {
  readAt(address: number, length: number): Uint8Array | null;
  symbolAt(address: number): { name: string } | null;
  cfiAt(pc: number): CfiRow | null;
}

/** The frames of one task, innermost first. */
export interface Unwound {
  frames: UnwoundFrame[];
  /** Why they end where they end, when that is not the outermost function: in GDB's words. */
  end: string | null;
}

export interface UnwoundFrame {
  pc: number;
  registers: ReadonlyMap<number, number>;
  /** Canonical frame address; null when unknown. */
  cfa: number | null;
  trust: FrameTrust;
}

export const NO_SAVED_PC = 'frame did not save the PC';
export const INNER_FRAME = 'previous frame inner to this frame (corrupt stack?)';

export function outermost<Frame extends PhysicalFrame>(
  end: string | null,
  cfa: number | null = null,
): Step<Frame> {
  return { cfa, caller: null, end };
}
