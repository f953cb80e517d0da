import type { PrintedCore } from '../core/printed.js';
import type { CrashSource } from '../crash-source.js';
import type { ReportWarning } from '../warning.js';

export type { PrintedCall, PrintedCore, PrintedMemory } from '../core/printed.js';

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
