import type { CrashSource } from '../crash-source.js';
import type { ReportWarning } from '../warning.js';

/** Who writes texts of this shape. `addresses`: a list of addresses, or a backtrace line alone. */
export type CrashTextShape =
  | 'ESP-IDF panic'
  | 'ESP-IDF reset'
  | 'task watchdog'
  | 'ESPHome crash report'
  | 'Tasmota crash record'
  | 'Rust panic'
  | 'NuttX panic'
  | 'Zephyr panic'
  | 'addresses'
  | 'summary';

/**
 * What a text or a summary says of one crash, before any ELF is asked. Nothing is corrected or concluded: addresses and
 * values are as printed, and each call says what kind of address it is.
 */
export interface CrashText {
  source: Exclude<CrashSource, 'core_dump'>;
  shape: CrashTextShape;
  /** "xtensa" or "riscv", where registers, marks or a chip tell it. */
  architecture: string | null;
  /** "esp32c3", where the text names it. */
  chip: string | null;
  /** The text of abort(), assert() or a watchdog, as a dump carries it: "abort() was called at PC 0x42009351 on core 0". */
  details: string | null;
  /** The exception as printed: "LoadProhibited" of "panic'ed (LoadProhibited)", ESPHome's or a summary's reason. */
  exceptionName: string | null;
  /** Further lines about it, each without line ends: "Debug exception reason: Stack canary watchpoint triggered (main)". */
  exceptionDetails: readonly string[];
  /** EXCCAUSE or MCAUSE and EXCVADDR or MTVAL where they are told apart from registers (ESPHome, Tasmota, summaries). */
  cause: number | null;
  faultAddress: number | null;
  /** Tasks that a task watchdog waited for: "IDLE0 (CPU 0)". */
  watchdogTasks: readonly string[];
  /** The failing core first; at least one. */
  cores: readonly PrintedCore[];
  /** Leading hexadecimal digits in lower case, 8 to 64 of them; null without, or for zeros. */
  appElfSha256: string | null;
  /** As a boot log or a summary in the same text says it. */
  firmwareVersion: string | null;
  /** Lines of the log before the crash, oldest first, without the prefix of the transport. */
  logLines: readonly string[];
  /** False: it only looks like a crash (a task watchdog without panic, a list of tasks), and the device ran on. */
  isCrash: boolean;
  /** What was cut, damaged or left out. */
  warnings: readonly ReportWarning[];
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
