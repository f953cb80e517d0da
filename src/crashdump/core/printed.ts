import type { CrashSource } from '../crash-source.js';

/** What a crash that was printed has beside the parts of a dump. */
export interface PrintedFacts {
  source: Exclude<CrashSource, 'core_dump'>;
  /** Null: nothing in the text tells it. */
  architecture: string | null;
  exceptionName: string | null;
  exceptionDetails: readonly string[];
  firmwareVersion: string | null;
  logLines: readonly string[];
}

/** What was printed of one core. */
export interface PrintedCore {
  /** 0 or 1; null when it is not told. */
  core: number | null;
  /** The task that ran on it; null when it is not told. */
  task: string | null;
  /** Whether an interrupt handler ran; null when it is not told. */
  inInterrupt: boolean | null;
  /**
   * Values by the name in lower case: pc, ps, a0…a15, sar, exccause, excvaddr, lbeg, lend, lcount, epc1…epc4; mepc, ra, sp,
   * gp, tp, t0…t6, s0…s11, a0…a7, mstatus, mtvec, mcause, mtval, mhartid. Only those that are whole.
   */
  registers: ReadonlyMap<string, number>;
  /** The printed backtrace, innermost first; empty without one. */
  calls: readonly PrintedCall[];
  /**
   * How the printed backtrace ends. `corrupted`: " |<-CORRUPTED", whose last entry is not sane; `continues`: the device
   * printed no more; `cut`: the text ends or is damaged there; `aborted`: the device could not go on ("Backtrace ended
   * abruptly …"). Null: at the outermost function, or there is no backtrace.
   */
  callsEnd: 'corrupted' | 'continues' | 'cut' | 'aborted' | null;
  /**
   * The printed stack memory in order of print; where words are missing or damaged, a new piece begins. The pieces do not
   * overlap.
   */
  stack: readonly PrintedMemory[];
}

/** A contiguous piece of memory. */
export interface PrintedMemory {
  address: number;
  bytes: Uint8Array;
}

export interface PrintedCall {
  /** As printed. */
  pc: number;
  /** The stack pointer printed with it; null without one. */
  sp: number | null;
  /**
   * What the address is. `call`: inside the call instruction already (Xtensa's backtraces: the return address - 3, and in
   * the first entry the faulting PC - 3); `return`: a return address; `fault`: the instruction that was executed; `scan`: a
   * word of the stack that may be a return address; `bare`: an address that somebody listed.
   */
  kind: 'call' | 'return' | 'fault' | 'scan' | 'bare';
}
