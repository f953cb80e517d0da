import { type ReadMemory, readWord } from '../../read-memory.js';
import type { Step } from '../../unwind/frame.js';
import type { CodeReader } from './code.js';
import { isOutermost, TASK_EXIT } from './end-reasons.js';
import type { RiscvFrame } from './frame.js';
import { SP } from './registers.js';

/** Limits: 16 KiB of stack and 128 candidates, so that a stack full of return addresses stays cheap. */
const MAX_WORDS = 4096;
const MAX_TRIALS = 128;
const MAX_CHAIN = 64;

interface ScanRequest {
  frame: RiscvFrame;
  /** An address inside the function whose caller is searched for. */
  inside: number;
  read: ReadMemory;
  code: CodeReader;
  isRom(address: number): boolean;
  /** Without another scan. */
  callerOf(frame: RiscvFrame, level: number): Step<RiscvFrame>;
}

/**
 * Finds the nearest frame above `frame` by a return address on the stack, where code that cannot be followed (ROM) is in
 * between. A word is accepted only if a call that may have led here precedes the address in it, and if one caller after
 * the other leads from there to the outermost function of a task.
 */
export function findCallerOnStack({
  frame,
  inside,
  read,
  code,
  isRom,
  callerOf,
}: ScanRequest): RiscvFrame | null {
  const isCallKnown = code.hasCode(inside) || isRom(inside);
  let trials = 0;
  for (let index = 0; index < MAX_WORDS; index++) {
    const slot = frame.sp + index * 4;
    const word = readWord(read, slot);
    if (word === null) return null;
    if (!code.followsCall(word) || (isCallKnown && !code.mayHaveCalled(word, inside))) continue;
    for (const callerSp of possibleStackPointers(slot)) {
      const found = scannedFrame(word, callerSp, slot);
      if (leadsToTaskEntry(found, code, callerOf)) return found;
      if (++trials >= MAX_TRIALS) return null;
    }
  }
  return null;
}

/**
 * The callee's frame ends at the word or little above: frames are multiples of 16 bytes, ra is saved near their top.
 */
function possibleStackPointers(slot: number): number[] {
  const first = Math.ceil((slot + 4) / 16) * 16;
  return [first, first + 16, first + 32, first + 48];
}

function scannedFrame(pc: number, sp: number, pcPlace: number): RiscvFrame {
  return { pc, sp, registers: new Map([[SP, sp]]), places: new Map(), pcPlace, trust: 'scan' };
}

function leadsToTaskEntry(first: RiscvFrame, code: CodeReader, callerOf: ScanRequest['callerOf']): boolean {
  let frame = first;
  for (let level = 1; level <= MAX_CHAIN; level++) {
    if (isTaskRoot(frame.pc, code)) return true;
    const { caller } = callerOf(frame, level);
    if (!caller) return false;
    frame = caller;
  }
  return false;
}

/** Tasks return to prvTaskExitError without a call: the address is the function's first. */
function isTaskRoot(pc: number, code: CodeReader): boolean {
  return isOutermost(code.nameAt(pc - 1)) || code.nameAt(pc) === TASK_EXIT;
}
