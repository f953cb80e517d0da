import { hex32 } from '../../hex.js';
import { type ReadMemory, readWord } from '../../read-memory.js';
import type { CodeImage } from '../../unwind/frame.js';
import { INNER_FRAME, outermost, type PhysicalFrame, type Step, type Unwinder } from '../../unwind/frame.js';
import type { UnwindSources } from '../architecture.js';
import { knownRegisters, type RegisterSet } from '../registers.js';
import { CALL_SIZE, callBefore } from './call-before.js';
import { isCodeAddress, pendingRotation, windowedReturnAddress, windowSize } from './registers.js';

/** a1 */
export const STACK_POINTER = 1;
/** First byte of `entry as, imm` (Xtensa ISA §8, format BRI12). */
const ENTRY = 0x36;
/** InstructionFetchError and InstFetchProhibited: EXCVADDR is then the address that was to be executed. */
const FETCH_CAUSES = new Set([2, 20]);
/** The others are the size of the call. */
const ADDRESS_BITS = 0x3fffffff;

/**
 * In the windowed ABI every frame's caller can be found without debug information: a function's base save area, the 16
 * bytes below its stack pointer, holds a0 to a3 of its caller (the panic handler spills all windows first).
 */
export function createXtensaUnwinder(
  start: RegisterSet,
  sources: Pick<UnwindSources, 'read' | 'images' | 'isRom' | 'exception'>,
): Unwinder<PhysicalFrame> {
  const { read } = sources;
  return {
    first() {
      const registers = savedRegisters(start);
      return { pc: start.pc, sp: registers.get(STACK_POINTER) ?? 0, registers, trust: 'context' };
    },

    callerOf(frame, level) {
      if (level > 0) return callerByWindow(frame, sources);
      const isWild = isWithoutCode(frame.pc, sources);
      if (!isWild && read(frame.pc, 1)?.[0] !== ENTRY) return callerByWindow(frame, sources);
      const returnAddress = frame.registers.get(pendingRotation(start.special.get('ps') ?? 0)) ?? 0;
      if (!isWild) return callerBeforeEntry(frame, returnAddress);
      if (mayFollowCall(returnAddress, sources)) return callerBeforeEntry(frame, returnAddress);
      // No call led here but a return: the window of the function that lost its address is current again.
      const a0 = frame.registers.get(0) ?? 0;
      return a0 !== returnAddress && mayFollowCall(a0, sources)
        ? callerByWindow(frame, sources)
        : outermost(`no call led to ${hex32(frame.pc)}, where no code is (corrupt stack?)`);
    },
  };
}

/** A task that yielded saved a0 to a3 only (XtSolFrame), and the dump has zeros for the others. */
function savedRegisters(start: RegisterSet): Map<number, number> {
  const { general } = start;
  const isYield = general.slice(4).every((value) => value === 0);
  return knownRegisters(isYield ? { ...start, general: general.slice(0, 4) } : start);
}

/** An address from which nothing can be fetched: outside the region of code, or said by the exception itself. */
function isWithoutCode(
  pc: number,
  { images, isRom, exception, read }: Pick<UnwindSources, 'read' | 'images' | 'isRom' | 'exception'>,
): boolean {
  if (!isCodeAddress(pc)) return true;
  if (exception !== null && FETCH_CAUSES.has(exception.cause ?? -1) && exception.address === pc) return true;
  if (images.length === 0 || isRom(pc) || read(pc, 1) !== null) return false;
  return !isInFirmware(pc, images);
}

/** True also where an image does not list what it has. */
function isInFirmware(address: number, images: readonly CodeImage[]): boolean {
  return images.some(
    ({ sections, symbolAt }) =>
      sections.length === 0 ||
      sections.some(({ address: start, size }) => start > 0 && address >= start && address < start + size) ||
      symbolAt(address) !== null,
  );
}

/** Windowed `call4` to `call12` and `callx4` to `callx12` (Xtensa ISA §8, formats CALL and CALLX), where the code is known. */
function mayFollowCall(
  returnAddress: number,
  { images, isRom }: Pick<UnwindSources, 'images' | 'isRom'>,
): boolean {
  if (windowSize(returnAddress) === 0) return false;
  if (images.length === 0) return true;
  const address = windowedReturnAddress(returnAddress);
  for (const image of images) {
    if (image.readAt(address - CALL_SIZE, CALL_SIZE) === null) continue;
    return (callBefore(address, image.readAt)?.size ?? 0) > 0;
  }
  return isRom(address) || images.some((image) => image.symbolAt(address - 1) !== null);
}

/**
 * After a call and before the rotation of the window: the return address is in the register that the rotation makes a0,
 * and all other registers are still the caller's. Zero is that of a task that never ran.
 */
function callerBeforeEntry(frame: PhysicalFrame, returnAddress: number): Step<PhysicalFrame> {
  if ((returnAddress & ADDRESS_BITS) === 0) return outermost(null, frame.sp);
  const caller: PhysicalFrame = { ...frame, pc: windowedReturnAddress(returnAddress), trust: 'window' };
  return { cfa: frame.sp, caller, end: null };
}

function callerByWindow(
  frame: PhysicalFrame,
  { read, images, isRom }: Pick<UnwindSources, 'read' | 'images' | 'isRom'>,
): Step<PhysicalFrame> {
  const a0 = frame.registers.get(0) ?? 0;
  if ((a0 & ADDRESS_BITS) === 0) return outermost(null);

  const returnAddress = windowedReturnAddress(a0);
  if (images.length > 0 && !isRom(returnAddress) && !isInFirmware(returnAddress, images)) {
    return outermost(`the return address ${hex32(returnAddress)} is not in code (corrupt stack?)`);
  }

  const saveArea = frame.sp - 16;
  const callerSp = readWord(read, saveArea + 4);
  if (callerSp === null) return outermost(`Cannot access memory at address ${hex32(saveArea)}`);
  // The stack grows down, so a caller's frame is above. This check also ends cycles.
  if (callerSp <= frame.sp) return outermost(INNER_FRAME);

  const registers = readSpilledRegisters(saveArea, callerSp, windowSize(a0), read);
  return {
    cfa: callerSp,
    caller: { pc: returnAddress, sp: callerSp, registers, trust: 'window' },
    end: null,
  };
}

/**
 * a0 to a3 from the base save area; a4 and above, as many as the call's rotation kept, from the extra save area at the
 * top of the caller's own frame (Xtensa ISA §4.7.1.4).
 */
function readSpilledRegisters(saveArea: number, callerSp: number, rotation: number, read: ReadMemory) {
  const registers = new Map<number, number>();
  const spill = (register: number, address: number) => {
    const value = readWord(read, address);
    if (value !== null) registers.set(register, value);
  };
  for (let register = 0; register < 4; register++) spill(register, saveArea + register * 4);

  const callersCallerSp = readWord(read, callerSp - 12);
  if (callersCallerSp !== null) {
    const extraSaveArea = callersCallerSp - rotation * 4;
    for (let register = 4; register < rotation; register++)
      spill(register, extraSaveArea + (register - 4) * 4);
  }
  return registers;
}
