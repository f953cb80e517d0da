import type { Architecture } from '../arch/architecture.js';
import type { Link } from '../arch/calls.js';
import type { DumpTask } from '../core/core.js';
import type { PrintedCall, PrintedCore } from '../core/printed.js';
import { MAX_FRAMES_PER_TASK } from '../limits.js';
import type { ReadMemory } from '../read-memory.js';

/** A step of a call chain that the device itself found and printed. */
export interface PrintedStep {
  /** Of callers the return address, as in a dump. */
  pc: number;
  /** An address in the instruction that was executed, or in the call. */
  lookup: number;
  sp: number | null;
}

/**
 * The printed calls, innermost first; empty without any. The first is that of the registers, where they are printed:
 * a backtrace has the address before it.
 */
export function printedChain({ registers, printed }: PrintedTask, architecture: Architecture): PrintedStep[] {
  const calls = chainOf(printed);
  const steps = calls.map((call, level) => stepOf(call, level, architecture));
  const [first, second] = steps;
  if (first === undefined || registers.missing?.has('pc') === true) return steps;
  const own: PrintedStep = { pc: registers.pc, lookup: registers.pc, sp: first.sp };
  const isSame = first.pc === registers.pc || first.lookup === registers.pc;
  if (isSame) return [own, ...steps.slice(1)];
  // Registers of a jump to anywhere are those of the first entry all the same, whose mark of a window is replaced.
  const isMasked = first.pc === architecture.printed.plainAddress(registers.pc);
  if (isMasked || (second !== undefined && first.sp !== null && first.sp === stackPointer(printed)))
    return [own, ...steps.slice(1)];
  return [{ ...own, sp: null }, ...steps];
}

export type PrintedTask = Pick<DumpTask, 'registers'> & { printed: PrintedCore };

/** Addresses that need not be calls of one chain: words of the stack, and what somebody listed. */
export function printedGuesses({ calls }: PrintedCore): PrintedCall[] {
  return calls.filter(isGuess).slice(0, MAX_FRAMES_PER_TASK);
}

/** Where the device stopped because the next step made no sense: that step, which it printed all the same. */
export function insaneStep(printed: PrintedCore): PrintedCall | null {
  const calls = printed.calls.filter((call, index) => !isGuess(call, index));
  return printed.callsEnd === 'corrupted' && calls.length > 1 ? (calls.at(-1) ?? null) : null;
}

/** The return addresses for a comparison with a build, as `Architecture.callChain` gives those of a dump. */
export function linksOf(task: PrintedTask, architecture: Architecture, read: ReadMemory): Link[] | null {
  const chain = printedChain(task, architecture);
  if (chain.length < 2 || (task.printed.stack.length > 0 && read(stackPointerOf(task, architecture), 4)))
    return null;
  // A walk by frame pointers leaves out functions without one.
  const mayBeStale = task.printed.calls.some(({ kind }) => kind === 'return');
  return chain.slice(1).map(({ pc }, index) => ({
    pc: chain[index]?.lookup ?? null,
    returnAddress: pc,
    size: null,
    mayBeStale,
  }));
}

function stackPointerOf({ registers }: PrintedTask, { stackPointer: number }: Architecture): number {
  return registers.general[number] ?? 0;
}

function stackPointer({ registers }: PrintedCore): number | null {
  return registers.get('a1') ?? registers.get('sp') ?? null;
}

function chainOf(printed: PrintedCore): PrintedCall[] {
  const calls = printed.calls.filter((call, index) => !isGuess(call, index));
  return calls.slice(0, Math.min(MAX_FRAMES_PER_TASK, calls.length - (insaneStep(printed) === null ? 0 : 1)));
}

/** Behind the first, an executed instruction is that of another core. */
function isGuess({ kind }: PrintedCall, index: number): boolean {
  return kind === 'scan' || kind === 'bare' || (kind === 'fault' && index > 0);
}

function stepOf({ pc, sp, kind }: PrintedCall, level: number, { printed }: Architecture): PrintedStep {
  const plain = printed.plainAddress(pc);
  switch (kind) {
    case 'call':
      return { pc: printed.returnAddressAfter(plain), lookup: plain, sp };
    case 'return':
      return { pc: plain, lookup: level === 0 ? plain : plain - 1, sp };
    default:
      return { pc: plain, lookup: plain, sp };
  }
}
