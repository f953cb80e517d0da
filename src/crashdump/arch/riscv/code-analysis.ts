/**
 * Finds the caller of code without call-frame information (vendor libraries, assembly, libgcc's save and restore
 * routines) from its instructions: forwards to where the function returns, or backwards from where it began.
 */
import type { CodeReader } from './code.js';
import { type Exit, type Tracked, UNKNOWN, type WalkState, walkCode } from './code-walk.js';
import type { RiscvFrame } from './frame.js';
import { isCall } from './instruction.js';
import { RA, SP } from './registers.js';

/** What the code says about a frame's caller: the registers at the moment of the return. */
export interface CodeFinding {
  returnAddress: Tracked;
  /** The register that held it: x1, or x5 for helpers that are called by `jal t0`. */
  link: number;
  registers: ReadonlyMap<number, Tracked>;
  /** The caller has not gone on behind its call yet, as far as its stack is concerned. */
  isAtCall: boolean;
  /** By what the function did since it began, not by how it returns. */
  isFromEntry: boolean;
  /** The code is an interrupt handler, which nobody called. */
  isOfTrap: boolean;
}

/** Where a walk that starts at a function's entry puts the stack: far from every memory of these chips. */
const ENTRY_SP = 0xc0000000;
const ALL_REGISTERS = Array.from({ length: 31 }, (_, index) => index + 1);
const CALLEE_SAVED = new Set([8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]);
const PERMANENT = new Set([3, 4]);

/** Findings by both ways, the more certain first; the return address may be unknown. */
export function findByCode(frame: RiscvFrame, level: number, code: CodeReader): CodeFinding[] {
  const thunk = insideSaveRoutine(frame, level, code);
  if (thunk) return [thunk];
  const forward = forwards(frame, level, code);
  if (forward.length > 0 && forward.every(({ isOfTrap }) => isOfTrap)) return forward.slice(0, 1);
  const findings = [...forward.filter(({ isOfTrap }) => !isOfTrap), ...backwards(frame, level, code)];
  return findings.filter(({ registers }) => (registers.get(SP)?.value ?? 0) >= frame.sp);
}

/**
 * What is certain about frame 0: the return to which nothing but simple instructions leads. Some compilers (clang) do not
 * describe epilogues in their call-frame information.
 */
export function findByEpilogue(frame: RiscvFrame, code: CodeReader): CodeFinding | null {
  const withoutChoice = (address: number) => {
    const instruction = code.instructionAt(address);
    return instruction === null || instruction.kind === 'branch' || isCall(instruction) ? null : instruction;
  };
  const steps = stepsToNoReturn(frame.pc, code);
  if (steps !== null) {
    // As many as the walk would have followed.
    code.budget.instructions -= steps;
    return null;
  }
  const found = forwards(frame, 0, { ...code, instructionAt: withoutChoice });
  return found.find(({ isOfTrap }) => !isOfTrap) ?? null;
}

const LONGEST_EPILOGUE = 64;

/** How many simple instructions lead to a branch or a call; null where they may lead out of the function. */
function stepsToNoReturn(pc: number, code: CodeReader): number | null {
  let at = pc;
  for (let steps = 1; steps <= LONGEST_EPILOGUE; steps++) {
    const instruction = code.instructionAt(at);
    if (instruction === null || instruction.kind === 'branch' || isCall(instruction)) return steps;
    if (MAY_LEAVE.has(instruction.kind)) return null;
    at = (at + instruction.size) >>> 0;
  }
  return null;
}

const MAY_LEAVE = new Set(['jump', 'jumpRegister', 'popReturn', 'trapReturn', 'stop']);

/** A return address may already be in the next function, when the called one never returns. */
function forwards(frame: RiscvFrame, level: number, code: CodeReader): CodeFinding[] {
  if (level > 0 && code.isFunctionStart(frame.pc)) return [];
  const registers = new Map<number, Tracked>();
  // Call-frame information says nothing about registers that a callee may change.
  const isExact = level === 0 || frame.trust === 'prologue' || frame.trust === 'link';
  for (const [register, value] of frame.registers) {
    if (!isExact && !CALLEE_SAVED.has(register)) continue;
    const place = frame.places.get(register) ?? null;
    // ra still points behind the call by which this function left, unless that was one by t0.
    if (level > 0 && register === RA && (place === null || place === frame.pcPlace)) continue;
    registers.set(register, { value, place });
  }
  registers.set(SP, { value: frame.sp, place: null });
  const { exits } = walkCode({ pc: callOf(frame, code), registers, memory: new Map() }, code, null);
  return exits.toSorted((a, b) => rank(a) - rank(b)).map(toFinding);
}

/** The caller of a save routine is as it was at the call, not behind it. */
function callOf({ pc, isAtCall }: RiscvFrame, code: CodeReader): number {
  if (!isAtCall) return pc;
  const first = code.instructionAt(pc - 8);
  return first?.kind === 'constant' && first.rd === 5 ? pc - 8 : pc - 4;
}

/** A jump to another function's start is a way out too, unless the label only looks like one. */
function rank({ link, isOfTrap }: Exit): number {
  return isOfTrap ? 2 : link === null ? 1 : 0;
}

function toFinding({ registers, link, isOfTrap }: Exit): CodeFinding {
  const used = link ?? RA;
  return {
    returnAddress: registers.get(used) ?? UNKNOWN,
    link: used,
    registers,
    isAtCall: false,
    isFromEntry: false,
    isOfTrap,
  };
}

function backwards(frame: RiscvFrame, level: number, code: CodeReader): CodeFinding[] {
  const start = code.functionStart(level === 0 ? frame.pc : frame.pc - 1);
  if (start === null) return [];
  const entry = new Map<number, Tracked>(
    ALL_REGISTERS.map((register) => [register, { value: null, place: -1 - register }]),
  );
  entry.set(SP, { value: ENTRY_SP, place: null });
  const { at } = walkCode({ pc: start, registers: entry, memory: new Map() }, code, callOf(frame, code));
  if (at === null) return [];
  const entrySp = entryStackPointer(at, frame);
  if (entrySp === null) return [];
  const registers = new Map<number, Tracked>();
  for (const register of ALL_REGISTERS) {
    registers.set(register, savedAtEntry(register, at, entrySp, frame, code));
  }
  registers.set(SP, { value: entrySp, place: null });
  return [
    {
      returnAddress: registers.get(RA) ?? UNKNOWN,
      link: RA,
      registers,
      isAtCall: false,
      isFromEntry: true,
      isOfTrap: false,
    },
  ];
}

/** By the stack pointer, or by a register that the code derived from it (a frame pointer). */
function entryStackPointer({ registers }: WalkState, frame: RiscvFrame): number | null {
  for (const register of [SP, ...CALLEE_SAVED]) {
    const { value } = registers.get(register) ?? UNKNOWN;
    const now = register === SP ? frame.sp : frame.registers.get(register);
    if (value === null || now === undefined || Math.abs(value - ENTRY_SP) > 0x100000) continue;
    return (now + ENTRY_SP - value) >>> 0;
  }
  return null;
}

/** A register of the caller: still there, or in the slot where the code stored it. */
function savedAtEntry(
  register: number,
  at: WalkState,
  entrySp: number,
  frame: RiscvFrame,
  code: CodeReader,
): Tracked {
  const isEntryValue = ({ value, place }: Tracked) => value === null && place === -1 - register;
  for (const [now, tracked] of at.registers) {
    const value = frame.registers.get(now);
    if (isEntryValue(tracked) && value !== undefined) return { value, place: frame.places.get(now) ?? null };
  }
  if (PERMANENT.has(register)) return { value: frame.registers.get(register) ?? null, place: null };
  if (register !== RA && !CALLEE_SAVED.has(register)) return UNKNOWN;
  for (const [address, tracked] of at.memory) {
    if (!isEntryValue(tracked)) continue;
    const slot = (entrySp + address - ENTRY_SP) >>> 0;
    return { value: code.word(slot), place: slot };
  }
  return UNKNOWN;
}

const SAVE_ROUTINE = /^__riscv_save_\d+$/;

/**
 * libgcc's routines for `-msave-restore` are called by `jal t0` in a prologue and have several entries that share their
 * code, so the amount of stack that they took is in t1 only. (Their own call-frame information is wrong where t1 has
 * been subtracted.) The caller goes on as it was at the call.
 */
function insideSaveRoutine(frame: RiscvFrame, level: number, code: CodeReader): CodeFinding | null {
  const start = code.functionStart(frame.pc);
  if (level > 0 || start === null || !SAVE_ROUTINE.test(code.nameAt(frame.pc) ?? '')) return null;
  let sp = frame.sp;
  for (let at = start; at < frame.pc; ) {
    const instruction = code.instructionAt(at);
    if (instruction === null) return null;
    if (instruction.kind === 'addImmediate' && instruction.rd === SP) sp -= instruction.immediate;
    if (instruction.kind === 'subtract' && instruction.rd === SP) {
      sp = (sp + (frame.registers.get(instruction.rs2) ?? 0)) >>> 0;
    }
    at += instruction.size;
  }
  const registers = new Map<number, Tracked>();
  for (const [register, value] of frame.registers) {
    registers.set(register, { value, place: frame.places.get(register) ?? null });
  }
  registers.set(SP, { value: sp, place: null });
  return {
    returnAddress: registers.get(5) ?? UNKNOWN,
    link: 5,
    registers,
    isAtCall: true,
    isFromEntry: false,
    isOfTrap: false,
  };
}
