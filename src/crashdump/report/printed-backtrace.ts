import { isRomAddress } from '../arch/chips.js';
import type { ExceptionRegisters } from '../arch/registers.js';
import type { PrintedCall, PrintedCore } from '../core/printed.js';
import { hex32 } from '../hex.js';
import { MAX_FRAMES_PER_TASK } from '../limits.js';
import type { Unwound, UnwoundFrame } from '../unwind/frame.js';
import {
  type Backtrace,
  type BacktraceContext,
  images,
  nameFrames,
  unwind,
  withTailCalls,
} from './backtrace.js';
import {
  insaneStep,
  type PrintedStep,
  type PrintedTask,
  printedChain,
  printedGuesses,
} from './printed-chain.js';

/**
 * The call chain of what was printed of a core: from its registers and stack as for a dump, by the calls that the device
 * printed, or both; behind it the addresses that the firmware knows of those that are only listed.
 */
export function printedBacktrace(
  task: PrintedTask,
  context: BacktraceContext,
  exception: ExceptionRegisters | null,
): Backtrace {
  const unwound = unwindPrinted(task, context, exception);
  const chain = printedChain(task, context.architecture);
  const { frames, end } = join(unwound, chain, task.printed, context);
  const { kept, leftOut, isBare } = guesses(task.printed, context);
  const all = context.architecture.showsTailCalls ? withTailCalls(frames, context) : frames;
  const shown = [...all, ...kept].slice(0, Math.max(0, Math.min(MAX_FRAMES_PER_TASK, context.budget.frames)));
  context.budget.frames -= shown.length;
  return {
    frames: nameFrames(shown, context),
    end:
      kept.length + leftOut > 0
        ? endOfGuesses(isBare, frames.length, leftOut)
        : (end ?? whyNone(shown.length)),
  };
}

const NO_STACK = 'the text has nothing of the stack';

function whyNone(count: number): string | null {
  return count === 0 ? 'there is no backtrace in it' : null;
}

function endOfGuesses(isBare: boolean, first: number, leftOut: number): string {
  const what = isBare
    ? 'these are addresses of a list, which need not be one chain of calls'
    : `behind frame ${Math.max(0, first - 1)} these are words of the stack that may be return addresses, no chain of calls`;
  if (leftOut === 0) return what;
  return `${what}; ${leftOut === 1 ? '1 address was' : `${leftOut} addresses were`} left out that the firmware ELF has no code or call for`;
}

/** From the registers; nothing when the pc is not printed. */
function unwindPrinted(
  { registers, printed }: PrintedTask,
  context: BacktraceContext,
  exception: ExceptionRegisters | null,
): Unwound {
  if (registers.missing?.has('pc') !== false) return { frames: [], end: null };
  const { frames, end } = unwind(registers, context, exception);
  // The budget counts frames that are shown.
  context.budget.frames += frames.length;
  const printedBytes = printed.stack.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const isCut = end?.startsWith('Cannot access memory') === true && printedBytes > 0;
  const more = callerInRegisters({ registers, printed }, frames, context);
  if (more !== null) return { frames: [...frames, more], end: NO_STACK };
  return {
    frames,
    end: isCut
      ? `${end}: ${printedBytes} bytes of the stack were printed`
      : end?.startsWith('Cannot access memory') === true
        ? NO_STACK
        : end,
  };
}

/** Where nothing but registers was printed, they have the return address of the innermost function. */
function callerInRegisters(
  { registers, printed }: PrintedTask,
  frames: readonly UnwoundFrame[],
  { architecture, firmware }: BacktraceContext,
): UnwoundFrame | null {
  const [only, second] = frames;
  if (only === undefined || second !== undefined || printed.calls.length > 0) return null;
  const address = architecture.printed.returnAddress(registers);
  if (address === null || firmware === null) return null;
  if (firmware.readAt(only.pc, 1) === null) return null;
  return architecture.callBefore(address, firmware.readAt) === null
    ? null
    : { pc: address, registers: new Map(), cfa: null, trust: 'link' };
}

/** The printed chain goes on where the registers and the stack agree with it and end; else the firmware decides. */
function join(
  unwound: Unwound,
  chain: readonly PrintedStep[],
  printed: PrintedCore,
  context: BacktraceContext,
): Unwound {
  if (chain.length <= unwound.frames.length) {
    // The innermost frame alone is all that registers tell.
    const isAll = unwound.end === NO_STACK || (unwound.end === null && unwound.frames.length === 1);
    return isAll && printed.callsEnd !== null ? { ...unwound, end: endOfCalls(printed, context) } : unwound;
  }
  const isContinued = unwound.frames.every(({ pc }, level) => pc === chain[level]?.pc);
  // The innermost frame alone may be all that registers tell.
  const isWhole = unwound.end === null && (unwound.frames.length > 1 || !isContinued);
  if (isWhole || (!isContinued && !chain.slice(1).every((step) => mayBeCall(step, context)))) return unwound;
  const kept = isContinued ? unwound.frames : unwound.frames.slice(0, 1);
  const rest = chain.slice(kept.length).map(
    ({ pc, lookup }, index): UnwoundFrame => ({
      pc,
      lookup,
      registers: new Map(),
      cfa: null,
      trust: kept.length + index === 0 ? 'context' : 'printed',
    }),
  );
  return { frames: [...kept, ...rest], end: endOfCalls(printed, context) };
}

function mayBeCall({ pc }: PrintedStep, { architecture, chip, firmware }: BacktraceContext): boolean {
  if (firmware === null || isRomAddress(chip, pc)) return true;
  return architecture.callBefore(pc, firmware.readAt) !== null;
}

function endOfCalls(printed: PrintedCore, { architecture }: BacktraceContext): string | null {
  switch (printed.callsEnd) {
    case 'corrupted': {
      const insane = insaneStep(printed);
      if (insane === null) return 'the device found the stack corrupted';
      const { pc, kind } = insane;
      const address = kind === 'call' ? architecture.printed.returnAddressAfter(pc) : pc;
      return `the device found the stack corrupted behind this frame: it read ${hex32(address)} as its return address`;
    }
    case 'continues':
      return 'the device recorded no more frames';
    case 'cut':
      return 'the text is cut or damaged here';
    case 'aborted':
      return 'the device could not find the caller';
    default:
      return isPlaceOfText(printed) ? 'the text has no backtrace' : null;
  }
}

/** The address that the text of abort() names, and no backtrace. */
function isPlaceOfText({ calls, registers }: PrintedCore): boolean {
  const [only, other] = calls;
  return registers.size === 0 && only?.sp === null && other === undefined;
}

interface Guesses {
  kept: UnwoundFrame[];
  /** How many of them are nothing that the firmware has. */
  leftOut: number;
  isBare: boolean;
}

function guesses(printed: PrintedCore, context: BacktraceContext): Guesses {
  const all = printedGuesses(printed);
  const kept = all.filter((call) => isPossible(call, context)).map((call) => guessOf(call, context));
  return { kept, leftOut: all.length - kept.length, isBare: all.some(({ kind }) => kind !== 'scan') };
}

/** Of the stack only what stands behind a call; of a list what is code. Without a firmware all. */
function isPossible({ pc, kind }: PrintedCall, context: BacktraceContext): boolean {
  const all = images(context);
  if (context.firmware === null) return true;
  const address = context.architecture.printed.plainAddress(pc);
  if (kind !== 'scan')
    return isRomAddress(context.chip, address) || all.some((image) => image.framesAt(address).length > 0);
  return all.some((image) => context.architecture.callBefore(address, image.readAt) !== null);
}

function guessOf({ pc, kind }: PrintedCall, { architecture }: BacktraceContext): UnwoundFrame {
  const address = architecture.printed.plainAddress(pc);
  const lookup = kind === 'scan' ? address - 1 : address;
  return { pc: address, lookup, registers: new Map(), cfa: null, trust: 'scan' };
}
