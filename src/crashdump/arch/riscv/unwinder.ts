import { type ReadMemory, readWord } from '../../read-memory.js';
import type { CfiRow, CfiRule } from '../../unwind/cfi-row.js';
import type { CodeImage } from '../../unwind/frame.js';
import { INNER_FRAME, NO_SAVED_PC, outermost, type Step, type Unwinder } from '../../unwind/frame.js';
import type { RegisterSet } from '../registers.js';
import type { Place, RiscvFrame } from './frame.js';
import { RA, SP } from './registers.js';
import { findCallerOnStack } from './stack-scan.js';

/**
 * Unwinds RISC-V frames by the firmware's call-frame information. Where there is none, frame 0 is treated as a leaf
 * (its return address is still in ra). For outer frames the stack is scanned for a return address that leads to the
 * task's outermost function.
 */
export function createRiscvUnwinder(
  start: RegisterSet,
  read: ReadMemory,
  images: readonly CodeImage[],
): Unwinder<RiscvFrame> {
  const cfiAt = (pc: number): CfiRow | null => {
    for (const image of images) {
      const row = image.cfiAt(pc);
      if (row) return row;
    }
    return null;
  };

  const unwinder: Unwinder<RiscvFrame> = {
    first() {
      const registers = new Map(start.general.map((value, index) => [index, value]));
      const places = new Map(start.general.map((_, index) => [index, -1 - index]));
      return { pc: start.pc, sp: registers.get(SP) ?? 0, registers, places, pcPlace: null, trust: 'context' };
    },

    callerOf(frame, level) {
      // A return address may be the first address of the next function: the call itself is before it.
      const row = cfiAt(level === 0 ? frame.pc : frame.pc - 1);
      if (row) return callerByCfi(frame, row, read);
      if (level === 0) return callerOfLeaf(frame);
      if (frame.pc === 0) return outermost(NO_SAVED_PC);
      const recovered = findCallerOnStack({ sp: frame.sp, images, read, unwinder });
      return recovered ? { cfa: recovered.sp, caller: recovered, end: null } : outermost(null);
    },
  };
  return unwinder;
}

/** DWARF 5 §6.4.3. Registers without a rule keep their value, as in GDB. */
function callerByCfi(frame: RiscvFrame, row: CfiRow, read: ReadMemory): Step<RiscvFrame> {
  const base = frame.registers.get(row.cfa.register);
  if (base === undefined) return outermost(null);
  const cfa = (base + row.cfa.offset) >>> 0;

  const registers = new Map(frame.registers);
  const places = new Map(frame.places);
  for (const [register, rule] of row.rules) {
    if (rule.kind === 'same') continue;
    const found = applyRule(rule, frame, cfa, read);
    if (found.value === null) registers.delete(register);
    else registers.set(register, found.value);
    if (found.place === null) places.delete(register);
    else places.set(register, found.place);
  }
  registers.set(SP, cfa);
  places.delete(SP);

  const pc = registers.get(row.returnAddressRegister);
  if (pc === undefined) return outermost(null, cfa);
  const pcPlace = places.get(row.returnAddressRegister) ?? null;
  if (frame.pcPlace !== null && pcPlace === frame.pcPlace) return outermost(NO_SAVED_PC, cfa);
  if (cfa < frame.sp) return outermost(INNER_FRAME, cfa);
  const trust = frame.trust === 'scan' ? 'scan' : 'cfi';
  return { cfa, caller: { pc, sp: cfa, registers, places, pcPlace, trust }, end: null };
}

function applyRule(
  rule: Exclude<CfiRule, { kind: 'same' }>,
  frame: RiscvFrame,
  cfa: number,
  read: ReadMemory,
): { value: number | null; place: Place | null } {
  switch (rule.kind) {
    case 'undefined':
      return { value: null, place: null };
    case 'offset': {
      const address = (cfa + rule.offset) >>> 0;
      return { value: readWord(read, address), place: address };
    }
    case 'valOffset':
      return { value: (cfa + rule.offset) >>> 0, place: null };
    case 'register':
      return {
        value: frame.registers.get(rule.register) ?? null,
        place: frame.places.get(rule.register) ?? null,
      };
  }
}

/** For code without call-frame information (ROM, assembly, or no code): treated as if it does not use the stack. */
function callerOfLeaf(frame: RiscvFrame): Step<RiscvFrame> {
  const pc = frame.registers.get(RA);
  if (pc === undefined || pc === frame.pc) return outermost(null);
  const pcPlace = frame.places.get(RA) ?? null;
  return { cfa: frame.sp, caller: { ...frame, pc, pcPlace, trust: 'link' }, end: null };
}
