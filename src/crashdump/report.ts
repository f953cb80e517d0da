/**
 * What the reader says about one dump. Field names are stable: they are the `report` of the sidecar's answer and
 * the `CrashReport` of the GraphQL schema. Addresses are strings `0x…` in lower-case hexadecimal, eight digits.
 * Every field that the dump or the ELF could not give is null or an empty list; enums may grow.
 */
export interface CrashReport {
  /** One line: "abort() was called at PC 0x42009351 on core 0", "LoadProhibited at 0x00000010", … */
  reason: string;
  /** The chip that the dump says it comes from, else the one that the caller named, else the architecture. */
  chip: string;
  crashedTask: string | null;
  /** SHA-256 (or its leading hex digits) of the application ELF, as the dump carries it. */
  appElfSha256: string | null;
  /** True when the dump carries a SHA-256 and the given ELF has it; false when it differs or nothing can be compared. */
  elfMatches: boolean;
  /** Container format, e.g. "ELF SHA256 v2.1", "BIN v1", "bare ELF". */
  format: string;
  checksum: 'ok' | 'bad' | 'absent';
  /** Registers of the crashed task, in the order in which the peer prints them. */
  registers: Register[];
  tasks: CrashTask[];
  /** What was cut, broken or doubtful, one sentence each; never a reason to distrust the rest of the report. */
  warnings: string[];
}

export interface Register {
  name: string;
  /** "0x…" */
  value: string;
}

export interface CrashTask {
  name: string;
  /** Address of the task control block, "0x…" */
  tcb: string;
  crashed: boolean;
  priority: number | null;
  /** "running", "ready", "delayed", "suspended", "blocked", …; null when the ELF has no list symbols. */
  state: string | null;
  /** Bytes; null when the stack is unknown or corrupted. */
  stackUsed: number | null;
  stackFree: number | null;
  frames: StackFrame[];
}

/** How a frame was found, from most to least trustworthy. */
export type FrameTrust = 'context' | 'cfi' | 'window' | 'scan';

export interface StackFrame {
  index: number;
  /** "0x…" */
  pc: string;
  function: string | null;
  file: string | null;
  line: number | null;
  inlined: boolean;
  trust: FrameTrust;
  arguments: FrameArgument[];
}

export interface FrameArgument {
  name: string;
  /** As GDB prints it: `0x3fc8ea9c "abort() …"`, `<optimized out>`, `97 'a'`. */
  value: string;
}
