import { hex32 } from '../../hex.js';
import { type ReadMemory, readWord } from '../../read-memory.js';
import { INNER_FRAME, outermost, type PhysicalFrame, type Step, type Unwinder } from '../../unwind/frame.js';
import type { RegisterSet } from '../registers.js';
import { isCodeAddress, pendingRotation, windowedReturnAddress, windowSize } from './registers.js';

/** a1 */
export const STACK_POINTER = 1;
/** First byte of `entry as, imm` (Xtensa ISA §8, format BRI12). */
const ENTRY = 0x36;

/**
 * In the windowed ABI every frame's caller can be found without debug information: a function's base save area, the 16
 * bytes below its stack pointer, holds a0 to a3 of its caller (the panic handler spills all windows first).
 */
export function createXtensaUnwinder(start: RegisterSet, read: ReadMemory): Unwinder<PhysicalFrame> {
  return {
    first() {
      const registers = new Map(start.general.map((value, index) => [index, value]));
      return { pc: start.pc, sp: registers.get(STACK_POINTER) ?? 0, registers, trust: 'context' };
    },

    callerOf(frame, level) {
      if (level === 0 && isBeforeEntry(frame.pc, read))
        return callerBeforeEntry(frame, start.special.get('ps') ?? 0);
      return callerByWindow(frame, read);
    },
  };
}

/** After a call instruction and before the rotation of the window. A jump to an address without code looks the same. */
function isBeforeEntry(pc: number, read: ReadMemory): boolean {
  return !isCodeAddress(pc) || read(pc, 1)?.[0] === ENTRY;
}

/** The return address is in the register that the rotation makes a0; all other registers are still the caller's. */
function callerBeforeEntry(frame: PhysicalFrame, ps: number): Step<PhysicalFrame> {
  const returnAddress = frame.registers.get(pendingRotation(ps)) ?? 0;
  // Without a caller GDB shows a frame with the empty return address; so does this, for a task that never ran.
  const caller: PhysicalFrame = { ...frame, pc: windowedReturnAddress(returnAddress), trust: 'window' };
  return { cfa: frame.sp, caller, end: null };
}

function callerByWindow(frame: PhysicalFrame, read: ReadMemory): Step<PhysicalFrame> {
  const a0 = frame.registers.get(0) ?? 0;
  if (a0 === 0) return outermost(null);

  const saveArea = frame.sp - 16;
  const callerSp = readWord(read, saveArea + 4);
  if (callerSp === null) return outermost(`Cannot access memory at address ${hex32(saveArea)}`);
  // The stack grows down, so a caller's frame is above. This check also ends cycles.
  if (callerSp <= frame.sp) return outermost(INNER_FRAME);

  const registers = readSpilledRegisters(saveArea, callerSp, windowSize(a0), read);
  return {
    cfa: callerSp,
    caller: { pc: windowedReturnAddress(a0), sp: callerSp, registers, trust: 'window' },
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
