import type { ByteReader } from '../../bytes.js';
import { readWord } from '../../read-memory.js';
import type { ExceptionSources } from '../architecture.js';
import { type ExceptionRegisters, NO_EXCEPTION, type RegisterSet } from '../registers.js';

/** IDF core_dump_port.c (riscv): PRSTATUS_OFFSET_PR_REG. */
const NOTE_REGISTERS_OFFSET = 72;
const REGISTER_WORDS = 32;

/** Words of RvExcFrame (IDF rvruntime-frames.h): mepc, x1..x31, mstatus, mtvec, mcause, mtval, mhartid. */
const MCAUSE_WORD = 34;
const MTVAL_WORD = 35;
const EXCEPTION_FRAME_WORDS = 37;
/** RV_STK_FRMSZ: the frame, rounded up to the stack's alignment of 16. */
const EXCEPTION_FRAME_SIZE = 160;

/** Of which an interrupt saves 32 words; later chips have more to save. */
const CONTEXT_SIZE = 128;
const LARGEST_CONTEXT = 512;

const NO_SPECIALS: ReadonlyMap<string, number> = new Map();

export const RA = 1;
export const SP = 2;

/** RISC-V calling convention: zero, sp, gp, tp, s0 to s11. */
export const KEPT_BY_CALLS: ReadonlySet<number> = new Set([
  ...[0, SP, 3, 4, 8, 9],
  ...[18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
]);

/** Registers of a CORE note's descriptor: pc, then x1 to x31. */
export function readRegisterNote(description: ByteReader): RegisterSet {
  return readRegisters(description.slice('RISC-V registers', NOTE_REGISTERS_OFFSET, REGISTER_WORDS * 4));
}

/** PRSTATUS_SIZE of the same file. */
const NOTE_SIZE = 204;
const NOTE_TCB_OFFSET = 24;

export function writeRegisterNote(tcbAddress: number, { pc, general }: RegisterSet): Uint8Array {
  const note = Buffer.alloc(NOTE_SIZE);
  note.writeUInt32LE(tcbAddress, NOTE_TCB_OFFSET);
  note.writeUInt32LE(pc, NOTE_REGISTERS_OFFSET);
  for (let index = 1; index < REGISTER_WORDS; index++)
    note.writeUInt32LE(general[index] ?? 0, NOTE_REGISTERS_OFFSET + index * 4);
  return note;
}

/** Registers that a context switch or an exception saved at the start of a stack (RvExcFrame). */
export function readStackFrame(stack: ByteReader): RegisterSet {
  return readRegisters(stack.slice('RvExcFrame', 0, REGISTER_WORDS * 4));
}

/**
 * IDF 4.3 and early 4.4 do not save sp when an interrupt stops a task (vectors.S): the word in the frame is what lay
 * there before. The frame itself is on the task's stack, so sp was directly above it.
 */
export function completeRegisters(
  registers: RegisterSet,
  { address, bytes }: { address: number; bytes: Uint8Array },
): RegisterSet {
  const read = (word: number) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(word * 4, true);
  if (bytes.length < CONTEXT_SIZE || read(0) !== registers.pc || read(RA) !== registers.general[RA])
    return registers;
  const size = (registers.general[SP] ?? 0) - address;
  const isSaved = size >= CONTEXT_SIZE && size <= LARGEST_CONTEXT && size % 16 === 0 && size <= bytes.length;
  return isSaved ? registers : { ...registers, general: registers.general.with(SP, address + CONTEXT_SIZE) };
}

/**
 * mcause and mtval, which the register note does not contain. The exception frame is at the start of the dumped stack,
 * or directly below the stack pointer when the dump contains all memory instead of single stacks.
 */
export function findException({ registers, stackStart, read }: ExceptionSources): ExceptionRegisters {
  const sp = registers.general[SP] ?? 0;
  for (const frame of [stackStart, sp - EXCEPTION_FRAME_SIZE]) {
    if (frame === null || frame < 0 || !read(frame, EXCEPTION_FRAME_WORDS * 4)) continue;
    if (readWord(read, frame) !== registers.pc || readWord(read, frame + SP * 4) !== sp) continue;
    return {
      ...NO_EXCEPTION,
      cause: readWord(read, frame + MCAUSE_WORD * 4),
      address: readWord(read, frame + MTVAL_WORD * 4),
    };
  }
  return NO_EXCEPTION;
}

function readRegisters(reader: ByteReader): RegisterSet {
  const pc = reader.u32();
  const general = [0];
  while (general.length < REGISTER_WORDS) general.push(reader.u32());
  return { pc, general, special: NO_SPECIALS };
}
