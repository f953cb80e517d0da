import type { FrameTrust } from '../report.js';
import type { CfiRow } from './cfi-row.js';

/** One activation of a function with a physical frame on the stack (inlined functions share one). */
export interface PhysicalFrame {
  pc: number;
  sp: number;
  /** Values by DWARF register number; a value that cannot be restored is absent. */
  registers: ReadonlyMap<number, number>;
  trust: FrameTrust;
}

export interface Step<Frame extends PhysicalFrame> {
  /** Canonical frame address of this frame; null when unknown. */
  cfa: number | null;
  /** The calling frame; null at the end. */
  caller: Frame | null;
  /** Why there is no caller, in GDB's words; null when the frame is the outermost one. */
  end: string | null;
}

/** How one architecture finds callers, by the same two operations. */
export interface Unwinder<Frame extends PhysicalFrame> {
  first(): Frame;
  callerOf(frame: Frame, level: number): Step<Frame>;
}

/** The part of a firmware's or a ROM's ELF that unwinding uses. */
export interface CodeImage {
  readonly sections: readonly { name: string; address: number; size: number; flags: { exec: boolean } }[];
  /** What the ELF does not contain, by the codes of warnings. */
  lacks(): readonly { code: string }[];
  readAt(address: number, length: number): Uint8Array | null;
  symbolAt(address: number): { name: string; address: number } | null;
  symbol(name: string): { address: number } | null;
  cfiAt(pc: number): CfiRow | null;
}

/** The frames of one task, innermost first. */
export interface Unwound {
  frames: UnwoundFrame[];
  /** Why the frames end before the outermost function, in GDB's words; null otherwise. */
  end: string | null;
}

export interface UnwoundFrame {
  pc: number;
  /** Where its source is looked up; absent for the pc itself in frame 0, and the byte before it in callers. */
  lookup?: number;
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
