import { type ReadMemory, readWord } from '../../read-memory.js';
import type { CodeImage } from '../../unwind/frame.js';
import { callBefore, targetOf } from './call-before.js';
import type { Code } from './code-walk.js';
import { decode, type Instruction, isCall, isLinkRegister } from './instruction.js';

/** The executable code of the images, and what can be said about addresses in it. */
export interface CodeReader extends Code {
  /** Whether a call instruction stands directly before the address. */
  followsCall(address: number): boolean;
  /** Whether the call before `returnAddress` may have led to `pc`, directly or by jumps of the called function. */
  mayHaveCalled(returnAddress: number, pc: number): boolean;
  /** Start of the function that covers the address, by the symbol table. */
  functionStart(address: number): number | null;
  nameAt(address: number): string | null;
}

const MAX_REACHED = 2_000;

/** Reads instructions once each; `budget` limits how many may be followed for a report. */
export function readCode(
  images: readonly CodeImage[],
  read: ReadMemory,
  budget: { instructions: number },
): CodeReader {
  const instructions = new Map<number, Instruction | null>();
  const executable = images.map((image) => ({
    image,
    isAllCode: image.sections.length === 0,
    ranges: image.sections.filter(({ flags, size }) => flags.exec && size > 0),
  }));
  const bytesAt = (address: number, length: number) => {
    for (const { image, isAllCode, ranges } of executable) {
      const isCode =
        isAllCode || ranges.some((range) => address >= range.address && address < range.address + range.size);
      const bytes = isCode ? image.readAt(address, length) : null;
      if (bytes) return bytes;
    }
    return null;
  };
  const instructionAt = (address: number): Instruction | null => {
    let instruction = instructions.get(address);
    if (instruction === undefined) {
      const bytes = address % 2 === 0 ? (bytesAt(address, 4) ?? bytesAt(address, 2)) : null;
      instruction = bytes && decode(bytes, address);
      instructions.set(address, instruction);
    }
    return instruction;
  };
  const hasCode = (address: number) => bytesAt(address, 1) !== null;
  const symbolAt = (address: number) => {
    for (const image of images) {
      const symbol = image.symbolAt(address);
      if (symbol) return symbol;
    }
    return null;
  };
  const reach = (target: number, pc: number) =>
    canReach(target, pc, { instructionAt, hasCode, symbolAt, budget });
  return {
    budget,
    instructionAt,
    isFunctionStart: (address) => symbolAt(address)?.address === address,
    word: (address) => readWord(read, address),
    hasCode,
    followsCall: (address) => callBefore(address, instructionAt) !== null,
    mayHaveCalled(returnAddress, pc) {
      const call = callBefore(returnAddress, instructionAt);
      if (call === null) return false;
      const target = targetOf(call, instructionAt);
      return target === null || target === pc || reach(target, pc);
    },
    functionStart: (address) => symbolAt(address)?.address ?? null,
    nameAt: (address) => symbolAt(address)?.name ?? null,
  };
}

interface ReachSources {
  hasCode: (address: number) => boolean;
  instructionAt: (address: number) => Instruction | null;
  symbolAt: (address: number) => { address: number } | null;
  budget: { instructions: number };
}

/** True also where it cannot be excluded: a jump through a register, or code that the images do not have. */
function canReach(
  target: number,
  pc: number,
  { instructionAt, hasCode, symbolAt, budget }: ReachSources,
): boolean {
  const visited = new Set<number>();
  const open = [target];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (;;) {
      if (visited.has(at)) break;
      if (visited.size >= MAX_REACHED || budget.instructions-- <= 0) return true;
      visited.add(at);
      const instruction = instructionAt(at);
      if (instruction === null) return !hasCode(pc);
      const next: number = at + instruction.size;
      if (pc >= at && pc < next) return true;
      if (instruction.kind === 'stop' || instruction.kind === 'popReturn') break;
      if (instruction.kind === 'branch') open.push(instruction.target);
      const isLinked = isCall(instruction);
      // Behind a call that never returns there may be the next function.
      if (isLinked && symbolAt(next)?.address === next) break;
      if (instruction.kind === 'jump' && !isLinked) at = instruction.target;
      else if (instruction.kind === 'jumpRegister' && !isLinked) {
        if (!isLinkRegister(instruction.rs1)) return true;
        break;
      } else at = next;
    }
  }
  return false;
}
