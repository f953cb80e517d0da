import type { Architecture } from '../arch/architecture.js';
import type { Chip } from '../arch/chips.js';
import type { ExceptionRegisters, RegisterSet } from '../arch/registers.js';
import type { ReportWarning } from '../warning.js';
import type { DumpMemory } from './memory.js';
import type { PrintedCore, PrintedFacts } from './printed.js';

/** One core dump, independent of its container; the first task is the crashed one. */
export interface Dump {
  format: string;
  checksum: 'ok' | 'bad' | 'absent';
  /** The text that the dump travelled in; null for raw bytes. */
  transport: string | null;
  architecture: Architecture;
  chip: Chip | null;
  /** major × 100 + minor */
  chipRevision: number | null;
  memory: DumpMemory;
  tasks: DumpTask[];
  /** Address of the crashed task's control block; null when the device found that task itself corrupted. */
  crashedTcb: number | null;
  /** `broken`: the device found it corrupted and skipped it; `lost`: what names it is missing in the dump. */
  crashedTask: 'known' | 'broken' | 'lost';
  /** The note with crashed task and interrupt is in a part that is missing. */
  lacksExtraInfo: boolean;
  /** Whether an interrupt handler crashed; null when the dump does not say. */
  inInterrupt: boolean | null;
  exception: ExceptionRegisters;
  /** Text of abort(), assert() or a watchdog, when the dump carries it. */
  panicDetails: string | null;
  /** Leading hexadecimal digits of the application ELF's SHA-256. */
  appElfSha256: string | null;
  warnings: ReportWarning[];
  /** What this was made from, when it is no core dump. */
  text?: PrintedFacts;
}

/** How a sentence calls what the crash was read from. */
export function nounOf({ text }: Pick<Dump, 'text'>): 'dump' | 'text' | 'summary' {
  if (text === undefined) return 'dump';
  return text.source === 'summary' ? 'summary' : 'text';
}

export interface DumpTask {
  /** Address of the task control block. Its bytes, if dumped, are in `memory`. */
  tcbAddress: number;
  /** From the frame of the saved registers to the end of the stack; null when the dump does not mark it. */
  stack: { start: number; end: number } | null;
  registers: RegisterSet;
  /** The device could not save this stack and wrote a placeholder instead. */
  stackIsCorrupted: boolean;
  /** The state of the task before the interrupt that crashed; only on the crashed task of such a dump. */
  interrupted: RegisterSet | null;
  /** What was printed of it, in place of its control block and stack, when this is no core dump. */
  printed?: PrintedCore;
}

/** The content of the payload alone; the container adds the rest. */
export type Core = Omit<Dump, 'format' | 'checksum' | 'transport' | 'chip' | 'chipRevision'> & {
  /** The version word again, from the ELF's note. */
  versionWord: number | null;
  chipId: number | null;
  /** What misses bytes that were lost on the way, in words. */
  incomplete: string[];
};
