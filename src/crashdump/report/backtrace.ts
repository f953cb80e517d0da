import type { Architecture } from '../arch/architecture.js';
import { type Chip, isRomAddress } from '../arch/chips.js';
import type { ExceptionRegisters, RegisterSet } from '../arch/registers.js';
import type { CallingFrame } from '../dwarf/frame-context.js';
import type { FirmwareImage, SourceFrame } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import type { ReadMemory } from '../read-memory.js';
import type { FrameTrust, StackFrame } from '../report.js';
import type { Unwound, UnwoundFrame } from '../unwind/frame.js';
import type { CrashDoubt } from './firmware-fit.js';

export interface BacktraceContext {
  architecture: Architecture;
  chip: Chip | null;
  /** The application; null without a firmware ELF. */
  firmware: FirmwareImage | null;
  /** ROM ELFs, used for addresses that the application does not cover. */
  roms: readonly FirmwareImage[];
  /** The dump's memory, completed by the bytes of the images. */
  read: ReadMemory;
  /** How many more frames the report may have, and instructions may be followed for it. */
  budget: { frames: number; instructions: number };
}

export interface Backtrace {
  frames: StackFrame[];
  /** Why the backtrace ends before the outermost function, in GDB's words; null otherwise. */
  end: string | null;
}

/**
 * The call chain from `registers`, innermost frame first.
 * @param exception what stopped this task; null for a task that was switched out
 */
export function backtrace(
  registers: RegisterSet,
  context: BacktraceContext,
  exception: ExceptionRegisters | null = null,
): Backtrace {
  const { architecture } = context;
  const { frames, end } = unwind(registers, context, exception);
  const all = architecture.showsTailCalls ? withTailCalls(frames, context) : frames;
  return { frames: nameFrames(all, context), end: end !== null && lacksCode(context) ? NO_CODE : end };
}

/** The physical frames, without names. */
export function unwind(
  registers: RegisterSet,
  context: BacktraceContext,
  exception: ExceptionRegisters | null,
): Unwound {
  const { architecture, read, budget } = context;
  return architecture.unwind(registers, {
    read,
    images: images(context),
    isRom: (address) => isRomAddress(context.chip, address),
    exception,
    budget,
  });
}

const NO_CODE = 'the firmware ELF has no code, only debug information';

/** The stack is not to blame for addresses that lie in no code then. */
function lacksCode({ firmware }: BacktraceContext): boolean {
  const code = firmware?.sections.filter(({ flags, size }) => flags.exec && size > 0) ?? [];
  return code.length > 0 && code.every(({ address }) => firmware?.readAt(address, 1) === null);
}

/** The backtrace of a crashed task whose return addresses fit the firmware only up to one. */
export function backtraceWithDoubt(
  context: BacktraceContext,
  doubt: CrashDoubt | null,
  follow: (context: BacktraceContext) => Backtrace,
): Backtrace {
  if (doubt === null) return follow(context);
  const end = `the return address ${hex32(doubt.returnAddress)} does not fit the firmware ELF: the stack is damaged, or the ELF is of another build`;
  const named = doubt.fitting === 0 ? [] : follow(context).frames;
  const first = named.findIndex(({ pc }, index) => index > 0 && pc === hex32(doubt.returnAddress));
  if (first > 0) return { frames: named.slice(0, first), end };
  const unnamed = follow({ ...context, firmware: null, roms: [] });
  return { frames: unnamed.frames.slice(0, 1), end };
}

const EXACT: ReadonlySet<FrameTrust> = new Set(['cfi', 'prologue', 'link', 'printed']);

/** A function that ended with a jump to another one has no frame any more; the caller's call site names it. */
export function withTailCalls(
  frames: readonly UnwoundFrame[],
  { firmware }: BacktraceContext,
): readonly UnwoundFrame[] {
  if (!firmware) return frames;
  return frames.flatMap((frame, level) => {
    const caller = frames[level + 1];
    // The frames between this one and one found by a scan are unknown.
    if (caller === undefined || !EXACT.has(caller.trust)) return [frame];
    const returnAddresses = firmware.tailCallsBetween(lookupPc(frame, level), caller.pc);
    return [
      frame,
      ...returnAddresses.map((pc) => ({
        ...frame,
        pc,
        lookup: pc - 1,
        registers: new Map(),
        trust: caller.trust,
      })),
    ];
  });
}

/** Several frames for one physical frame, where functions were inlined. */
export function nameFrames(frames: readonly UnwoundFrame[], context: BacktraceContext): StackFrame[] {
  const callers = linkCallers(frames);
  return frames
    .flatMap((frame, level) => {
      // A return address of 0, on Xtensa with the top bits of code, is that of a task that never ran.
      const inRom = (frame.pc & 0x3fffffff) !== 0 && isRomAddress(context.chip, frame.pc);
      const sources = sourcesOf(frame, callers[level] ?? null, level, context);
      return sources.map((source) => ({ ...source, pc: hex32(frame.pc), trust: frame.trust, inRom }));
    })
    .map((frame, index) => ({ index, ...frame }));
}

/** For each frame its caller, which has its own caller and so on. */
function linkCallers(frames: readonly UnwoundFrame[]): (CallingFrame | null)[] {
  const callers: (CallingFrame | null)[] = [];
  let caller: CallingFrame | null = null;
  for (const { pc, registers, cfa } of frames.toReversed()) {
    callers.unshift(caller);
    caller = { pc, registers, cfa, caller };
  }
  return callers;
}

function sourcesOf(
  frame: UnwoundFrame,
  caller: CallingFrame | null,
  level: number,
  context: BacktraceContext,
): SourceFrame[] {
  const { pc, registers, cfa } = frame;
  for (const image of images(context)) {
    const sources = image.framesAt(lookupPc(frame, level), {
      pc,
      registers,
      cfa,
      caller,
      readMemory: context.read,
    });
    if (sources.length > 0) return sources;
  }
  return [{ function: null, file: null, line: null, inlined: false, atLineStart: false, arguments: [] }];
}

/** A return address may be in the next line or function already, so the look-up uses the call instruction. */
function lookupPc({ pc, lookup }: UnwoundFrame, level: number): number {
  return lookup ?? (level === 0 ? pc : pc - 1);
}

export function images({ firmware, roms }: BacktraceContext): FirmwareImage[] {
  return firmware ? [firmware, ...roms] : [...roms];
}
