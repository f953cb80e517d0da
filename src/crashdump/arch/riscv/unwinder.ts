import { type ReadMemory, readWord } from '../../read-memory.js';
import type { CfiRow, CfiRule } from '../../unwind/cfi-row.js';
import { INNER_FRAME, NO_SAVED_PC, outermost, type Step, type Unwinder } from '../../unwind/frame.js';
import type { UnwindSources } from '../architecture.js';
import { knownRegisters, type RegisterSet } from '../registers.js';
import { readCode } from './code.js';
import { type CodeFinding, findByCode, findByEpilogue } from './code-analysis.js';
import {
  isOutermost,
  notInMemory,
  TASK_ENTRY,
  TASK_EXIT,
  withoutCallFrames,
  wrongReturnAddress,
} from './end-reasons.js';
import type { Place, RiscvFrame } from './frame.js';
import { RA, SP } from './registers.js';
import { findCallerOnStack } from './stack-scan.js';

/** libgcc's call-frame information for these is wrong at some instructions; their code says all. */
const SAVE_OR_RESTORE = /^__riscv_(save|restore)_\d+$/;
const LOST = 'the return address is not known: the function no longer has it in a register or on its stack';

/**
 * Unwinds RISC-V frames by the firmware's call-frame information; where there is none, by the code itself, and where
 * that says nothing (ROM), by a return address on the stack that leads to the task's outermost function. Nothing is
 * taken for a return address that does not follow a call.
 */
export function createRiscvUnwinder(
  start: RegisterSet,
  { read, images, isRom, budget }: UnwindSources,
): Unwinder<RiscvFrame> {
  const code = readCode(images, read, budget);
  const cfiAt = (pc: number): CfiRow | null => {
    for (const image of images) {
      const row = image.cfiAt(pc);
      if (row) return row;
    }
    return null;
  };
  const hasWrapper = (): boolean => images.some((image) => image.symbol(TASK_ENTRY) !== null);

  /** A return address that was found: null when it may be one, otherwise the end of the backtrace. */
  const endAt = (pc: number, callee: number, cfa: number | null): Step<RiscvFrame> | null => {
    if (pc === 0) {
      // Where every task begins in a wrapper, an empty return address in another function is damage.
      const isDamage = code.hasCode(callee)
        ? hasWrapper() && cfiAt(callee) !== null
        : cfa !== null && !isRom(callee);
      return outermost(
        isDamage ? 'the return address is 0 before the outermost function (corrupt stack?)' : null,
        cfa,
      );
    }
    if (code.nameAt(pc) === TASK_EXIT && code.isFunctionStart(pc)) return outermost(null, cfa);
    return code.followsCall(pc) || (!code.hasCode(pc) && isRom(pc))
      ? null
      : outermost(wrongReturnAddress(pc, code), cfa);
  };

  /** Where call-frame information is missing. `mayScan` is false while a scan tries where a word leads to. */
  const callerByCode = (frame: RiscvFrame, level: number, mayScan: boolean): Step<RiscvFrame> => {
    const inside = level === 0 ? frame.pc : frame.pc - 1;
    const findings = code.hasCode(inside) ? findByCode(frame, level, code) : [];
    if (findings.some(({ isOfTrap }) => isOfTrap)) return outermost(null);
    const ends: (string | null)[] = [];
    const accepted = findings.filter((finding) => {
      const { value, place } = finding.returnAddress;
      const cfa = finding.registers.get(SP)?.value ?? null;
      if (value === null) {
        if (place !== null && place >= 0) ends.push(notInMemory(place));
        else if (finding.isFromEntry) ends.push(LOST);
        return false;
      }
      const end = endAt(value, inside, cfa);
      if (frame.pcPlace !== null && frame.pcPlace === place) ends.push(NO_SAVED_PC);
      else if (end) ends.push(end.end);
      else if (code.hasCode(value) && !code.mayHaveCalled(value, inside))
        ends.push(wrongReturnAddress(value, code));
      else return true;
      return false;
    });
    const best = mostCertain(accepted);
    if (best) return callerOfFinding(frame, best, level);
    if (ends.includes(null)) return outermost(null);
    if (budget.instructions <= 0) return outermost('the code to follow is too long');
    const linked = level === 0 ? callerByLink(frame) : null;
    // What ROM code did with the register is not known: it may be left from a call of its own.
    const isDoubtful =
      linked?.caller != null && !code.hasCode(inside) && !code.hasCode(linked.caller.pc) && isRom(inside);
    if (linked && !isDoubtful) return linked;
    const request = {
      frame,
      inside,
      read,
      code,
      isRom,
      callerOf: (from: RiscvFrame, at: number) => callerOf(from, at, false),
    };
    // Where the code says what is missing, a word on the stack would only be a guess.
    const recovered = mayScan && ends.length === 0 ? findCallerOnStack(request) : null;
    if (recovered) return { cfa: recovered.sp, caller: recovered, end: null };
    if (linked) return linked;
    return outermost(ends[0] ?? withoutCallFrames(inside, images, code, isRom(inside)));
  };

  /** In frame 0, where the code itself contradicts the call-frame information. */
  const callerByEpilogue = (frame: RiscvFrame, described: Step<RiscvFrame>): Step<RiscvFrame> | null => {
    const finding = findByEpilogue(frame, code);
    const pc = finding?.returnAddress.value ?? null;
    const sp = finding?.registers.get(SP)?.value ?? null;
    if (finding === null || pc === null || sp === null || sp < frame.sp) return null;
    if (pc === described.caller?.pc && sp === described.cfa) return null;
    const isTrue = pc !== 0 && endAt(pc, frame.pc, sp) === null && code.mayHaveCalled(pc, frame.pc);
    return isTrue ? callerOfFinding(frame, finding, 0) : null;
  };

  /** Code that cannot be read is treated as if it did not use the stack: its return address is still in ra. */
  const callerByLink = (frame: RiscvFrame): Step<RiscvFrame> | null => {
    const pc = frame.registers.get(RA);
    if (pc === undefined || pc === frame.pc) return null;
    const caller = (): RiscvFrame => ({ ...frame, pc, pcPlace: frame.places.get(RA) ?? null, trust: 'link' });
    if (images.length === 0) return pc === 0 ? null : { cfa: frame.sp, caller: caller(), end: null };
    const end = endAt(pc, frame.pc, frame.sp);
    if (end) return pc === 0 || end.end === null ? end : null;
    if (code.hasCode(pc) && !code.mayHaveCalled(pc, frame.pc)) return null;
    // The function has called others since it began: ra still points behind the last call.
    const isStale =
      code.functionStart(frame.pc) !== null && code.functionStart(frame.pc) === code.functionStart(pc - 1);
    return isStale ? null : { cfa: frame.sp, caller: caller(), end: null };
  };

  const callerOf = (frame: RiscvFrame, level: number, mayScan: boolean): Step<RiscvFrame> => {
    // A return address may be the first address of the next function: the call itself is before it.
    const inside = level === 0 ? frame.pc : frame.pc - 1;
    const name = code.nameAt(inside);
    const row = SAVE_OR_RESTORE.test(name ?? '') ? null : cfiAt(inside);
    if (!row) return isOutermost(name) ? outermost(null) : callerByCode(frame, level, mayScan);
    const step = callerByCfi(frame, row, read);
    if (isOutermost(name)) return outermost(null, step.cfa);
    const returning = level === 0 ? callerByEpilogue(frame, step) : null;
    if (returning) return returning;
    return (step.caller && endAt(step.caller.pc, inside, step.cfa)) ?? step;
  };

  return {
    first() {
      const registers = knownRegisters(start);
      const places = new Map([...registers.keys()].map((index) => [index, -1 - index]));
      return { pc: start.pc, sp: registers.get(SP) ?? 0, registers, places, pcPlace: null, trust: 'context' };
    },
    callerOf: (frame, level) => callerOf(frame, level, true),
  };
}

/** The one that a second way through the code confirms, otherwise the nearest. */
function mostCertain(findings: readonly CodeFinding[]): CodeFinding | null {
  const key = ({ returnAddress, registers }: CodeFinding) =>
    `${returnAddress.value}/${registers.get(SP)?.value}`;
  const entry = findings.find(({ isFromEntry }) => isFromEntry);
  const confirmed = entry && findings.find((finding) => !finding.isFromEntry && key(finding) === key(entry));
  return confirmed ?? findings[0] ?? null;
}

function callerOfFinding(
  frame: RiscvFrame,
  { returnAddress, registers: found, link, isAtCall }: CodeFinding,
  level: number,
): Step<RiscvFrame> {
  const registers = new Map<number, number>([[0, 0]]);
  const places = new Map<number, Place>();
  for (const [register, { value, place }] of found) {
    if (value === null) continue;
    registers.set(register, value);
    if (place !== null) places.set(register, place);
  }
  const pc = returnAddress.value ?? 0;
  const sp = registers.get(SP) ?? frame.sp;
  const isInRegister = level === 0 && returnAddress.place === -1 - link;
  const trust = frame.trust === 'scan' ? 'scan' : isInRegister ? 'link' : 'prologue';
  return {
    cfa: sp,
    caller: { pc, sp, registers, places, pcPlace: returnAddress.place, trust, isAtCall },
    end: null,
  };
}

/** DWARF 5 §6.4.3. Registers without a rule keep their value, as in GDB. */
function callerByCfi(frame: RiscvFrame, row: CfiRow, read: ReadMemory): Step<RiscvFrame> {
  const base = frame.registers.get(row.cfa.register);
  if (base === undefined) return outermost(LOST);
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
  if (pc === undefined) return outermost(whyUnknown(row, cfa), cfa);
  const pcPlace = places.get(row.returnAddressRegister) ?? null;
  if (frame.pcPlace !== null && pcPlace === frame.pcPlace) return outermost(NO_SAVED_PC, cfa);
  if (cfa < frame.sp) return outermost(INNER_FRAME, cfa);
  const trust = frame.trust === 'scan' ? 'scan' : 'cfi';
  return { cfa, caller: { pc, sp: cfa, registers, places, pcPlace, trust }, end: null };
}

/** A function that declares its return address undefined is the outermost one (GCC: `.cfi_undefined ra`). */
function whyUnknown({ rules, returnAddressRegister }: CfiRow, cfa: number): string | null {
  const rule = rules.get(returnAddressRegister);
  if (rule?.kind === 'undefined') return null;
  return rule?.kind === 'offset' ? notInMemory((cfa + rule.offset) >>> 0) : LOST;
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
