import type { Architecture } from '../arch/architecture.js';
import type { Chip } from '../arch/chips.js';
import type { ExceptionRegisters, RegisterSet } from '../arch/registers.js';
import type { DumpMemory } from './memory.js';

/** One core dump, whatever container it came in; the first task is the crashed one. */
export interface Dump {
  format: string;
  checksum: 'ok' | 'bad' | 'absent';
  architecture: Architecture;
  chip: Chip | null;
  /** major × 100 + minor */
  chipRevision: number | null;
  memory: DumpMemory;
  tasks: DumpTask[];
  /** Address of the crashed task's control block; null when the device found that task itself broken. */
  crashedTcb: number | null;
  /** Whether an interrupt handler crashed; null when the dump does not say. */
  inInterrupt: boolean | null;
  exception: ExceptionRegisters;
  /** Text of abort(), assert() or a watchdog, when the dump carries it. */
  panicDetails: string | null;
  /** Leading hexadecimal digits of the application ELF's SHA-256. */
  appElfSha256: string | null;
  warnings: string[];
}

export interface DumpTask {
  /** Where the task control block is in memory; whether its bytes are in the dump, memory knows. */
  tcbAddress: number;
  /** From the frame of the saved registers to the end of the stack; null when the dump does not mark it. */
  stack: { start: number; end: number } | null;
  registers: RegisterSet;
  /** The device could not save this stack and wrote a placeholder instead. */
  stackIsCorrupted: boolean;
  /** What the task did when the interrupt came that crashed; only on the crashed task of such a dump. */
  interrupted: RegisterSet | null;
}

/** What the payload alone contains; the container adds the rest. */
export type Core = Omit<Dump, 'format' | 'checksum' | 'chip' | 'chipRevision'> & {
  /** Repeated inside the ELF. */
  versionWord: number | null;
  chipId: number | null;
};
