import type { CfiRow } from '../unwind/cfi-row.js';

/** A call instruction; without a target it calls through a register. */
export interface Call {
  target: number | null;
  /** Registers by which the call rotates the window; absent where an architecture has no windows. */
  size?: number;
}

/** One step of a call chain. */
export interface Link {
  /** An address inside the called function; null when it is not known. */
  pc: number | null;
  returnAddress: number;
  /** The rotation that the return address carries; null when it carries none. */
  size: number | null;
  /** The return register of a function that may have made calls since: it need not be that of its own caller. */
  mayBeStale?: boolean;
}

/** Ways out of a function other than calls and returns. */
export interface Jumps {
  targets: number[];
  /** False when there are jumps through registers. */
  isKnown: boolean;
}

/** The part of a build that a chain of calls needs. */
export interface CodeOfBuild {
  cfiAt(pc: number): CfiRow | null;
}
