import type { Architecture } from '../arch/architecture.js';
import type { Chip } from '../arch/chips.js';
import type { ExceptionRegisters, RegisterSet } from '../arch/registers.js';
import type { ReportWarning } from '../warning.js';
import type { DumpMemory } from './memory.js';

/** One core dump, independent of its container; the first task is the crashed one. */
export interface Dump {
  format: string;
  checksum: 'ok' | 'bad' | 'absent';
  architecture: Architecture;
  chip: Chip | null;
  /** major × 100 + minor */
  chipRevision: number | null;
  memory: DumpMemory;
  tasks: DumpTask[];
  /** Address of the crashed task's control block; null when the device found that task itself corrupted. */
  crashedTcb: number | null;
  /** Whether an interrupt handler crashed; null when the dump does not say. */
  inInterrupt: boolean | null;
  exception: ExceptionRegisters;
  /** Text of abort(), assert() or a watchdog, when the dump carries it. */
  panicDetails: string | null;
  /** Leading hexadecimal digits of the application ELF's SHA-256. */
  appElfSha256: string | null;
  warnings: ReportWarning[];
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
}

/** The content of the payload alone; the container adds the rest. */
export type Core = Omit<Dump, 'format' | 'checksum' | 'chip' | 'chipRevision'> & {
  /** The version word again, from the ELF's note. */
  versionWord: number | null;
  chipId: number | null;
};
