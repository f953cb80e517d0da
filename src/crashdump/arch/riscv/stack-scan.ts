import { type ReadMemory, readWord } from '../../read-memory.js';
import type { CodeImage, Unwinder } from '../../unwind/frame.js';
import type { CodeReader } from './code.js';
import { isOutermost, TASK_EXIT } from './end-reasons.js';
import type { RiscvFrame } from './frame.js';
import { SP } from './registers.js';

/** Limits: 16 KiB of stack and 128 candidates, so that a stack full of return addresses stays cheap. */
const MAX_WORDS = 4096;
const MAX_TRIALS = 128;
const MAX_CHAIN = 64;

interface ScanRequest {
  sp: number;
  images: readonly CodeImage[];
  read: ReadMemory;
  unwinder: Unwinder<RiscvFrame>;
  code: CodeReader;
}

/**
 * Finds the nearest frame above `sp` by a return address on the stack, where ROM code without call-frame information is
 * in between. A word is accepted only if a call instruction precedes the address in it, and if call-frame information
 * leads from there, step by step, to the outermost function of a task.
 */
export function findCallerOnStack({ sp, images, read, unwinder, code }: ScanRequest): RiscvFrame | null {
  let trials = 0;
  for (let index = 0; index < MAX_WORDS; index++) {
    const slot = sp + index * 4;
    const word = readWord(read, slot);
    if (word === null) return null;
    if (!code.followsCall(word) || !images.some((image) => image.cfiAt(word - 1) !== null)) continue;
    for (const callerSp of possibleStackPointers(slot)) {
      const frame = scannedFrame(word, callerSp, slot);
      if (leadsToTaskEntry(frame, images, unwinder)) return frame;
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

function leadsToTaskEntry(
  first: RiscvFrame,
  images: readonly CodeImage[],
  unwinder: Unwinder<RiscvFrame>,
): boolean {
  let frame = first;
  for (let level = 1; level <= MAX_CHAIN; level++) {
    const { pc } = frame;
    if (images.some((image) => isTaskRoot(image, pc))) return true;
    // Without this limit, code without call-frame information would start another scan.
    if (!images.some((image) => image.cfiAt(pc - 1) !== null)) return false;
    const { caller } = unwinder.callerOf(frame, level);
    if (!caller) return false;
    frame = caller;
  }
  return false;
}

/** Tasks return to prvTaskExitError without a call: the address is the function's first. */
function isTaskRoot(image: CodeImage, pc: number): boolean {
  return isOutermost(image.symbolAt(pc - 1)?.name ?? null) || image.symbolAt(pc)?.name === TASK_EXIT;
}
