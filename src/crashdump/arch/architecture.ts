import type { ByteReader } from '../bytes.js';
import type { CrashKind } from '../crash-kind.js';
import type { ReadMemory } from '../read-memory.js';
import type { CodeImage, Unwound } from '../unwind/frame.js';
import type { Call, CodeOfBuild, Jumps, Link } from './calls.js';
import type { PrintedPanic } from './printed-panic.js';
import type { ExceptionRegisters, RegisterSet } from './registers.js';

/**
 * Everything that differs between the processors of ESP32 chips. An implementation is a folder here and an entry of
 * architectures.ts; no other code checks which architecture it has.
 */
export interface Architecture {
  /** "xtensa": in warnings, and in the report of a dump whose chip is not known. */
  readonly name: string;
  /** `e_machine` of its ELF files. */
  readonly elfMachine: number;
  readonly chips: readonly ChipDescription[];

  /** DWARF register number. */
  readonly stackPointer: number;
  /**
   * DWARF numbers of the registers whose values a called function restores. All others are unknown in a caller's frame,
   * even where unwinding gives them the value that they have now. Null where unwinding gives only what was saved.
   */
  readonly keptByCalls: ReadonlySet<number> | null;
  /** DWARF register number of a function's first argument. */
  readonly firstArgument: number;
  /** GDB shows frames that tail calls replaced only where it unwinds by call-frame information. */
  readonly showsTailCalls: boolean;
  /** The address behind the jump of a tail call at `address`. */
  endOfJump(address: number, readCode: ReadMemory): number;
  /** Whether callers are found by the firmware's call-frame information, which it therefore should have. */
  readonly unwindsByCallFrames: boolean;

  /** The frame that GDB shows for the empty return address of a task that never ran, and how its backtrace ends. */
  readonly emptyCaller: { pc: number; end: string | null };

  /** "exccause" */
  readonly causeRegister: string;
  /** What a cause in `ExceptionRegisters` means, by its number. */
  readonly causes: ReadonlyMap<number, Cause>;
  /** The meaning of a number that is not in `causes`. */
  unknownCause(cause: number): Cause;

  /** Registers of a task from the descriptor of its CORE note (NT_PRSTATUS). @throws Malformed */
  readRegisterNote(description: ByteReader): RegisterSet;
  /** The descriptor of a CORE note, as `readRegisterNote` reads it. */
  writeRegisterNote(tcbAddress: number, registers: RegisterSet): Uint8Array;
  /** Words behind the crashed task in EXTRA_INFO, as `readExtraRegisters` reads them. */
  writeExtraRegisters(exception: ExceptionRegisters): readonly number[];
  /** Registers that a context switch or an exception saved at the start of a stack. @throws Malformed */
  readStackFrame(stack: ByteReader): RegisterSet;
  /** Corrects registers that an interrupt saved at the start of `stack`, where the device did not save all of them. */
  completeRegisters(registers: RegisterSet, stack: { address: number; bytes: Uint8Array }): RegisterSet;
  /** Reads EXTRA_INFO between the crashed task and the interrupt word; ends before that word, or at the end. */
  readExtraRegisters(description: ByteReader): ReadonlyMap<number, number>;
  /** The exception registers from the frame at the start of the crashed task's stack alone. @throws Malformed */
  readExceptionFrame(stack: ByteReader): ExceptionRegisters;
  /** The exception registers from notes and memory; null when this architecture does not store them there. */
  findException(sources: ExceptionSources): ExceptionRegisters | null;

  /** [name, value] of each register of the crashed task, in the order in which the peer prints them. */
  listRegisters(registers: RegisterSet, exception: ExceptionRegisters, format: string): [string, number][];
  readonly registerText: RegisterText;
  /**
   * The registers that a task saves when it yields the processor by a call, where the word at the start of its stack is
   * 0; null when it always saves all.
   */
  readonly savedByYield: readonly string[] | null;

  /** Whether code, of four bytes at least, begins with an instruction that calls a debugger. */
  isBreakInstruction(code: Uint8Array): boolean;

  /** The call instruction directly before a return address; null when there is none. */
  callBefore(returnAddress: number, code: ReadMemory): Call | null;
  jumpsOf(functionStart: number, size: number, code: ReadMemory): Jumps;
  /** The return addresses of `start` as the build has them, unchecked: to see whether the build is the right one. */
  callChain(start: RegisterSet, read: ReadMemory, build: CodeOfBuild): Link[];

  readonly printed: PrintedPanic;

  /** The call chain of `start`, innermost frame first. */
  unwind(start: RegisterSet, sources: UnwindSources): Unwound;
}

export interface ChipDescription {
  /** ESP-IDF `esp_chip_model_t`: the chip id of the dump's version word. */
  id: number;
  /** "esp32s3" */
  name: string;
  /** Processors that run FreeRTOS tasks; a firmware may use fewer. */
  cores: 1 | 2;
  /** Where the mask ROM's code lies: [first address, one past the last] (SOC_IROM_MASK_LOW/HIGH). */
  rom: readonly [number, number];
  /** Where a firmware has code in RAM, code in flash or PSRAM, and its variables. */
  instructionRam: readonly [number, number];
  flash: readonly [number, number];
  dataRam: readonly [number, number];
}

export interface Cause {
  /** As the peer prints it. */
  name: string;
  kind: CrashKind;
  /** The exception registers hold the accessed address. */
  hasAddress: boolean;
}

export interface ExceptionSources {
  /** Of the crashed task. */
  registers: RegisterSet;
  /** Lowest address of its dumped stack; null when the dump does not mark it. */
  stackStart: number | null;
  /** From the EXTRA_INFO note; null in a dump without one. */
  extra: ReadonlyMap<number, number> | null;
  read: ReadMemory;
}

export interface UnwindSources {
  /** The dump's memory, completed by the bytes of the images. */
  read: ReadMemory;
  /** The firmware, then the ROMs. */
  images: readonly CodeImage[];
  /** Whether the address lies in the chip's mask ROM, whose code the images may not have. */
  isRom(address: number): boolean;
  /** What stopped this thread; null for a task that was switched out. */
  exception: ExceptionRegisters | null;
  /** How many more frames the report may have, and instructions may be followed for it. */
  budget: { frames: number; instructions: number };
}

/** How the peer, which contains GDB, prints a register. */
export interface RegisterText {
  /** Separator between a value and its meaning: a tab in the RISC-V GDB, spaces up to a column in others. */
  separator: 'tab' | 'column';
  /** Exception registers, which are printed first and in another layout. */
  listsException: boolean;
  /**
   * Registers that GDB lists although core dumps do not contain them, and the register before which they are listed.
   */
  unavailable: { before: string; names: readonly string[] } | null;
}

export function describeCause(name: string, kind: CrashKind, hasAddress = false): Cause {
  return { name, kind, hasAddress };
}
