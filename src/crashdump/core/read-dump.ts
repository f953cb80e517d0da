import type { Architecture, Chip } from '../arch/chips.js';
import { chipById, chipByName } from '../arch/chips.js';
import type { ExceptionRegisters, RegisterSet } from '../arch/registers.js';
import { readBinCore } from './bin-core.js';
import type { Container } from './container.js';
import { readElfCore } from './elf-core.js';
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

/**
 * Reads tasks, memory and notes out of an opened container.
 * @param chipHint what the caller believes the chip to be; used when the dump does not say, or says what cannot be
 * @throws UnreadableDump when there is no task to report on
 */
export function readDump(container: Container, chipHint: string | null): Dump {
  const { payload } = container;
  const core = payload.kind === 'elf' ? readElfCore(payload) : readBinCore(payload, container.chipId ?? 0);
  // BIN dumps know nothing of their ELF; an ELF inside says in its notes what a bare one has no header for.
  const chipId = container.chipId ?? core.chipId;
  const warnings = [...container.warnings, ...core.warnings];
  const chip = settleChip(core.architecture, chipId, chipHint, warnings);
  if (core.memory.overlaps > 0) {
    warnings.push(`${core.memory.overlaps} memory segments overlap others; the lower one was believed.`);
  }
  if (
    core.versionWord !== null &&
    container.versionWord !== null &&
    core.versionWord !== container.versionWord
  ) {
    warnings.push(
      `Header and note disagree about the version: 0x${container.versionWord.toString(16)} and 0x${core.versionWord.toString(16)}.`,
    );
  }
  const { versionWord: _inNote, chipId: _inElf, ...rest } = core;
  return {
    ...rest,
    format: container.format,
    checksum: container.checksum,
    chip,
    chipRevision: container.chipRevision,
    warnings,
  };
}

/** The ELF machine decides: an early esp32c2 release wrote the chip id of the esp32c3. */
function settleChip(
  architecture: Architecture,
  chipId: number | null,
  hint: string | null,
  warnings: string[],
): Chip | null {
  const named = chipId === null ? null : chipById(chipId);
  const hinted = hint === null ? null : chipByName(hint);
  if (chipId !== null && named === null) warnings.push(`The chip id ${chipId} is not known.`);
  if (named !== null && named.architecture !== architecture) {
    warnings.push(`The dump says ${named.name}, but its registers are those of a ${architecture} chip.`);
  }
  const chip = [named, hinted].find((candidate) => candidate?.architecture === architecture) ?? null;
  if (hinted !== null && chip !== null && hinted !== chip) {
    warnings.push(`The dump says ${chip.name}, its sender ${hinted.name}.`);
  }
  return chip;
}
