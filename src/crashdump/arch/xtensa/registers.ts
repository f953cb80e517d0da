import type { ByteReader } from '../../bytes.js';
import { type ExceptionRegisters, NO_EXCEPTION, type RegisterSet } from '../registers.js';

/** `xtensa_elf_gregset_t` (GDB xtensa-tdep.h), at the offset where IDF's pr_status ends. */
const NOTE_REGISTERS_OFFSET = 72;
const NOTE_AR_WORD = 64;

/** Words of XtExcFrame (IDF xtensa_context.h). */
const EXCEPTION_FRAME_WORDS = 25;
const SOLICITED_FRAME_WORDS = 8;

const PS_EXCM = 1 << 4;
const PS_UM = 1 << 5;

/** Numbers of the special registers in the EXTRA_INFO note (`XT_REG_*`). */
const EXCCAUSE = 232;
const EXCVADDR = 238;
const EPC1 = 177;
const EPS2 = 194;

/** In the EXTRA_INFO note. */
const EXTRA_REGISTERS = 18;
const INTERRUPT_WORD = 37;

/** Registers of a CORE note's descriptor. */
export function readRegisterNote(description: ByteReader): RegisterSet {
  const registers = description.slice('Xtensa registers', NOTE_REGISTERS_OFFSET, (NOTE_AR_WORD + 16) * 4);
  const [pc, ps, lbeg, lend, lcount, sar] = words(registers, 6);
  registers.seek(NOTE_AR_WORD * 4);
  return { pc, general: words(registers, 16), special: specials({ lbeg, lend, lcount, sar, ps }) };
}

const NOTE_SIZE = 588;
const NOTE_TCB_OFFSET = 24;
const NOTE_WINDOWSTART_WORD = 6;

/** With one window, the first, as IDF's core_dump_port.c writes it: GDB finds the callers on the stack. */
export function writeRegisterNote(tcbAddress: number, { pc, general, special }: RegisterSet): Uint8Array {
  const note = Buffer.alloc(NOTE_SIZE);
  note.writeUInt32LE(tcbAddress, NOTE_TCB_OFFSET);
  const put = (word: number, value: number) => note.writeUInt32LE(value, NOTE_REGISTERS_OFFSET + word * 4);
  put(0, pc);
  for (const [index, name] of ['ps', 'lbeg', 'lend', 'lcount', 'sar'].entries())
    put(index + 1, special.get(name) ?? 0);
  put(NOTE_WINDOWSTART_WORD, 1);
  for (const [index, value] of general.slice(0, 16).entries()) put(NOTE_AR_WORD + index, value);
  return note;
}

export function writeExtraRegisters({ cause, address, epc, eps }: ExceptionRegisters): number[] {
  const pairs: [number, number][] = [];
  if (cause !== null) pairs.push([EXCCAUSE, cause]);
  if (address !== null) pairs.push([EXCVADDR, address]);
  for (const [level, value] of eps) pairs.push([EPS2 + level - 2, value]);
  for (const [level, value] of epc) pairs.push([EPC1 + level - 1, value]);
  return pairs.flat();
}

/**
 * Registers that a context switch or an exception saved at the start of a stack: XtExcFrame when its first word is not
 * 0; XtSolFrame (a task that yielded the processor) when it is 0.
 */
export function readStackFrame(stack: ByteReader): RegisterSet {
  if (stack.slice('stack frame', 0, 4).u32() === 0) return readSolicitedFrame(stack);
  const frame = words(stack.slice('XtExcFrame', 0, EXCEPTION_FRAME_WORDS * 4), EXCEPTION_FRAME_WORDS);
  const [, pc, ps] = frame;
  return {
    pc,
    general: frame.slice(3, 19),
    special: specials({
      lbeg: frame[22] ?? 0,
      lend: frame[23] ?? 0,
      lcount: frame[24] ?? 0,
      sar: frame[19] ?? 0,
      ps: withoutExceptionMode(ps),
    }),
  };
}

function readSolicitedFrame(stack: ByteReader): RegisterSet {
  const frame = words(stack.slice('XtSolFrame', 0, SOLICITED_FRAME_WORDS * 4), SOLICITED_FRAME_WORDS);
  const [, pc, ps, , a0, a1, a2, a3] = frame;
  return {
    // Both are return addresses of a windowed call: their top two bits are the call size.
    pc: isCodeAddress(pc) ? pc : windowedReturnAddress(pc),
    general: [a0, a1, a2, a3, ...new Array<number>(12).fill(0)],
    special: specials({ lbeg: 0, lend: 0, lcount: 0, sar: 0, ps: withoutExceptionMode(ps) }),
  };
}

/** In GDB's order. */
function specials({ lbeg, lend, lcount, sar, ps }: Specials): ReadonlyMap<string, number> {
  return new Map(Object.entries({ lbeg, lend, lcount, sar, ps }));
}

interface Specials {
  lbeg: number;
  lend: number;
  lcount: number;
  sar: number;
  ps: number;
}

/** EXCCAUSE and EXCVADDR of the crashed task's XtExcFrame. */
export function readExceptionFrame(stack: ByteReader): ExceptionRegisters {
  const frame = stack.slice('XtExcFrame', 0, EXCEPTION_FRAME_WORDS * 4);
  if (frame.u32() === 0) return NO_EXCEPTION;
  frame.seek(20 * 4);
  return { ...NO_EXCEPTION, cause: frame.u32(), address: frame.u32() };
}

/** 18 (register, value) pairs, then in the note's 152-byte form the interrupt word (core_dump_port.c). */
export function readExtraRegisters(description: ByteReader): ReadonlyMap<number, number> {
  const registers = new Map<number, number>();
  for (let pair = 0; pair < EXTRA_REGISTERS && description.remaining >= 8; pair++) {
    const register = description.u32();
    const value = description.u32();
    // A register that the chip does not have is an empty pair.
    if (register !== 0) registers.set(register, value);
  }
  description.seek(Math.min(INTERRUPT_WORD * 4, description.length));
  return registers;
}

/** The exception registers of the EXTRA_INFO note. */
export function exceptionInNote(extra: ReadonlyMap<number, number>): ExceptionRegisters {
  return {
    ...NO_EXCEPTION,
    cause: extra.get(EXCCAUSE) ?? null,
    address: extra.get(EXCVADDR) ?? null,
    epc: numbered(extra, EPC1, 1, 7),
    eps: numbered(extra, EPS2, 2, 7),
  };
}

/** The register's top two bits are the call size; code is in the region 0x40000000 to 0x7fffffff. */
export function windowedReturnAddress(a0: number): number {
  return ((a0 & 0x3fffffff) | 0x40000000) >>> 0;
}

/** Registers by which the caller's window was rotated: 0, 4, 8 or 12. */
export function windowSize(a0: number): number {
  return (a0 >>> 30) * 4;
}

/** PS.CALLINC × 4: the rotation of the next `entry`. */
export function pendingRotation(ps: number): number {
  return ((ps >>> 16) & 3) * 4;
}

export function isCodeAddress(address: number): boolean {
  return address >>> 30 === 1;
}

/** As GDB does: with EXCM set in user mode it would treat the frames as call0 frames. */
function withoutExceptionMode(ps: number): number {
  return (ps & PS_UM) === 0 ? ps : (ps & ~PS_EXCM) >>> 0;
}

function numbered(extra: ReadonlyMap<number, number>, first: number, firstLevel: number, lastLevel: number) {
  const pairs: [number, number][] = [];
  for (let level = firstLevel; level <= lastLevel; level++) {
    const value = extra.get(first + level - firstLevel);
    if (value !== undefined) pairs.push([level, value]);
  }
  return pairs;
}

type AtLeastEight = [number, number, number, number, number, number, number, number, ...number[]];

function words(reader: ByteReader, count: number): AtLeastEight {
  const list: AtLeastEight = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let index = 0; index < count; index++) list[index] = reader.u32();
  return list;
}
