import type { CrashKind } from './crash-kind.js';
import type { CrashSource } from './crash-source.js';
import type { ReportWarning } from './warning.js';

/**
 * The report about one dump. Field names are stable: they are the `report` of the sidecar's answer and the
 * `CrashReport` of the GraphQL schema. Addresses are strings `0x…` in lower-case hexadecimal, eight digits. A field
 * without data in dump and ELF is null or an empty list; enums may grow.
 */
export interface CrashReport {
  /** `REPORT_VERSION`; 1 for a report stored before this field existed. */
  schemaVersion: number;
  /** What was read. Absent in reports of earlier versions: a core dump. */
  source: CrashSource;
  /** Decided by the panic's text, otherwise by the exception: one of crash-kind.ts. */
  kind: CrashKind;
  /** One line: "abort() was called at PC 0x42009351 on core 0", "LoadProhibited at 0x00000010", … */
  reason: string;
  /** The address that the faulting instruction accessed, "0x…"; null when the crash is not an access. */
  faultAddress: string | null;
  /** What the processor's exception registers say; null when the dump does not hold them. */
  cause: CrashCause | null;
  /** The reason in plain words with its place: "NULL pointer plus offset 0x10 read in `sensor_read` at sensor.c:88". */
  explanation: string | null;
  /** Of a task watchdog: the tasks that it waited for, as the device names them: "IDLE0 (CPU 0)". */
  watchdogTasks: string[];
  /** The place in the firmware's own code that title, group and explanation name; null when it is unknown. */
  culprit: Culprit | null;
  /** Groups crashes of one place across builds; recipe in fingerprint.ts, its version before the colon. */
  fingerprint: string;
  /** The chip named by the dump, otherwise the one that the caller named, otherwise the architecture. */
  chip: string;
  /** major × 100 + minor: 300 is v3.0. */
  chipRevision: number | null;
  crashedTask: string | null;
  /** Whether an interrupt handler crashed; null when the dump does not say. */
  inInterrupt: boolean | null;
  /** SHA-256 of the application ELF, or its first hexadecimal digits, as in the dump. */
  appElfSha256: string | null;
  /** Whether the given ELF is the one that the device ran, by the SHA-256 in the dump. */
  elfMatch: ElfMatch;
  /** `elfMatch` is "matches". */
  elfMatches: boolean;
  /** Whether names, lines and values come from the given ELF: it matches, or its code fits the dump. */
  usesElf: boolean;
  /** For an ELF that is used although the dump does not name it: how well it fits, one sentence. */
  elfEvidence: string | null;
  /** Container format, e.g. "ELF SHA256 v2.1", "BIN v1", "bare ELF". */
  format: string;
  checksum: 'ok' | 'bad' | 'absent';
  /** The text that the dump travelled in: "base64 lines of a console log", "a hex dump"; null for raw bytes. */
  transport: string | null;
  /** Registers of the crashed task, in the order in which the peer prints them. */
  registers: Register[];
  /** The crashed task first. */
  tasks: CrashTask[];
  /**
   * The firmware's sections, each extended by the dumped memory that touches it, then the rest of the dumped memory by
   * address. At most `MAX_MEMORY_REGIONS`.
   */
  memoryRegions: MemoryRegion[];
  /** How many regions there are, also those that the list leaves out. */
  memoryRegionCount: number;
  /** Who the device says it is; null when its firmware does not have the device component, or no dumped identity. */
  deviceIdentity: DeviceIdentity | null;
  /** What the firmware had set by the device component when it crashed, in the order of their first setting. */
  values: DeviceValue[];
  /** The newest lines that the device component saw of the device's log, oldest first. */
  logLines: string[];
  /** Cut, broken or doubtful parts; the rest of the report stays reliable. */
  warnings: ReportWarning[];
  /** Only where rules about own code changed the place of the crash: what the reader had found without them. */
  asRead?: PlaceOfCrash;
}

/** What follows from the place of a crash. */
export type PlaceOfCrash = Pick<CrashReport, 'culprit' | 'explanation' | 'fingerprint'>;

/** What the device component wrote into the memory that dumps include. */
export interface DeviceIdentity {
  /** The model's code; null when the firmware does not know it. */
  model: string | null;
  serial: string;
  firmwareVersion: string;
  /** Name of the project. */
  project: string;
  /** SHA-256 of the ELF of the firmware that crashed, 64 digits; null when it has none. */
  elfSha256: string | null;
  /** Random, of the run that crashed: 16 digits. */
  bootId: string;
  /** Boots since power was applied, the run that crashed included. */
  bootCount: number;
  /** Why the run that crashed had been started: "poweron", "panic", "task_wdt", … */
  resetReason: string;
}

export interface DeviceValue {
  name: string;
  type: 'integer' | 'float' | 'text';
  /** As text: "-61", "3.71", "connecting". */
  value: string;
}

export interface Culprit {
  function: string;
  file: string | null;
  line: number | null;
}

/** Incremented when a field of the report changes its meaning; new fields alone do not count. */
export const REPORT_VERSION = 2;

/** "unknown": there is no ELF, or the dump names none. */
export type ElfMatch = 'matches' | 'differs' | 'unknown';

/** The exception registers of the crashed processor. */
export interface CrashCause {
  /** The value of `register`. */
  code: number;
  /** As esp-coredump prints it: "LoadProhibitedCause", "Load access fault". */
  name: string;
  /** "exccause" on Xtensa, "mcause" on RISC-V. */
  register: string;
  /** The value of excvaddr or mtval, "0x…"; it is an accessed address only for some causes (`faultAddress`). */
  address: string | null;
}

export interface MemoryRegion {
  /** The section's name, ".coredump.tasks.data" for dumped memory, ".coredump.rom.text" for dumped code. */
  name: string;
  /** "0x…" */
  address: string;
  /** In bytes. */
  size: number;
  /** As in esp-coredump's list: "R XA", "RW A", "RW", "RWE". */
  attributes: string;
  /** A section of the ELF, which dumped memory may extend; or memory that only the dump has. */
  source: 'firmware' | 'dump';
}

export interface Register {
  name: string;
  /** "0x…" */
  value: string;
  /** What is at that address in the firmware, as "panic_abort+18". */
  symbol: string | null;
  /** For a fill pattern: "heap memory that was freed", "stack that was never written", … */
  meaning: string | null;
}

export type TaskState = 'running' | 'ready' | 'delayed' | 'suspended' | 'blocked' | 'deleted';

export interface CrashTask {
  name: string;
  /** Address of the task control block, "0x…" */
  tcb: string;
  crashed: boolean;
  /** The current priority, perhaps inherited from a mutex, and the task's own. */
  priority: number | null;
  basePriority: number | null;
  /** Null when the ELF has no list symbols. */
  state: TaskState | null;
  /** For a task that waits: "an item in queue 0x3ffaff74", "a notification", "tick 5120". */
  waitingFor: string | null;
  /**
   * Bytes, computed from the stack pointer that FreeRTOS saved at the last task switch, which for the crashed task was
   * before the crash. Null when the stack is unknown or corrupted.
   */
  stackUsed: number | null;
  stackFree: number | null;
  /** Bytes at the stack's far end that were never written; null unless the dump holds that part. */
  stackNeverUsed: number | null;
  /** Why the stack has probably overflowed; null without a sign of it. */
  stackOverflow: string | null;
  /** The device found the stack corrupted and did not dump it: there is no backtrace. */
  stackCorrupted: boolean;
  /** The core on which it ran; null when it did not run, or when that is not known. */
  core: number | null;
  /** The core that it is pinned to; null when it may run on any, or when that is not known. */
  coreAffinity: number | null;
  /** As saved at its last switch or at the crash; empty when the stack is corrupted. */
  registers: Register[];
  frames: StackFrame[];
  /** Why the backtrace ends before the outermost function, and what is missing; null when it does not. */
  backtraceEnd: string | null;
  /** The frames of the interrupted task, when an interrupt handler crashed; otherwise empty. */
  interruptedFrames: StackFrame[];
}

/**
 * How a frame was found, from most to least trustworthy. `prologue`: from the instructions of a callee that has no
 * call-frame information. `link`: from the return-address register of such a callee. `printed`: by the device, whose
 * text has its address.
 */
export type FrameTrust = 'context' | 'cfi' | 'window' | 'prologue' | 'link' | 'printed' | 'scan';

export interface StackFrame {
  index: number;
  /** "0x…" */
  pc: string;
  function: string | null;
  file: string | null;
  line: number | null;
  inlined: boolean;
  trust: FrameTrust;
  /** True when the address lies in the chip's mask ROM, whose functions only a ROM ELF can name. */
  inRom: boolean;
  /** True when `pc` is the first address of its source line. */
  atLineStart: boolean;
  /** Whether it is of the application's own code. Absent in reports of earlier versions, where the names tell it. */
  isOwnCode?: boolean;
  arguments: FrameArgument[];
}

export interface FrameArgument {
  name: string;
  /** As GDB prints it: `0x3fc8ea9c "abort() …"`, `<optimized out>`, `97 'a'`. */
  value: string;
}
