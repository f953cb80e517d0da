import type { Architecture } from '../arch/architecture.js';
import { type Chip, isRomAddress } from '../arch/chips.js';
import type { RegisterSet } from '../arch/registers.js';
import type { CallingFrame } from '../dwarf/frame-context.js';
import type { FirmwareImage, SourceFrame } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import type { ReadMemory } from '../read-memory.js';
import type { StackFrame } from '../report.js';
import type { UnwoundFrame } from '../unwind/frame.js';

export interface BacktraceContext {
  architecture: Architecture;
  chip: Chip | null;
  /** The application; null when there is none to consult. */
  firmware: FirmwareImage | null;
  /** ROM ELFs, asked for what the application does not know. */
  roms: readonly FirmwareImage[];
  /** The dump's memory, completed by the images' own bytes. */
  read: ReadMemory;
  /** Frames that may still be made for this report. */
  budget: { frames: number };
}

export interface Backtrace {
  frames: StackFrame[];
  /** Why it ends where it ends, when that is not the outermost function: in GDB's words. */
  end: string | null;
}

/** The calls that led to where `registers` stand, innermost first. */
export function backtrace(registers: RegisterSet, context: BacktraceContext): Backtrace {
  const { architecture, read, budget } = context;
  const { frames, end } = architecture.unwind(registers, { read, images: images(context), budget });
  const all = architecture.showsTailCalls ? withTailCalls(frames, context) : frames;
  return { frames: nameFrames(all, context), end };
}

/** A function that ended with a jump to another one has no frame any more; the caller's call site names it. */
function withTailCalls(
  frames: readonly UnwoundFrame[],
  { firmware }: BacktraceContext,
): readonly UnwoundFrame[] {
  if (!firmware) return frames;
  return frames.flatMap((frame, level) => {
    const caller = frames[level + 1];
    // Between a frame and one that was only guessed at, everything may have happened.
    if (caller?.trust !== 'cfi') return [frame];
    const returnAddresses = firmware.tailCallsBetween(lookupPc(frame, level), caller.pc);
    return [
      frame,
      ...returnAddresses.map((pc) => ({ ...frame, pc, registers: new Map(), trust: caller.trust })),
    ];
  });
}

/** Several frames for one, where functions were inlined. */
function nameFrames(frames: readonly UnwoundFrame[], context: BacktraceContext): StackFrame[] {
  const callers = linkCallers(frames);
  return frames
    .flatMap((frame, level) => {
      // A return address of 0, on Xtensa with the top bits of code, is where a task that never ran would return to.
      const inRom = (frame.pc & 0x3fffffff) !== 0 && isRomAddress(context.chip, frame.pc);
      const sources = sourcesOf(frame, callers[level] ?? null, level, context);
      return sources.map((source) => ({ ...source, pc: hex32(frame.pc), trust: frame.trust, inRom }));
    })
    .map((frame, index) => ({ index, ...frame }));
}

/** For each frame the one that called it, which knows its own caller in turn. */
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
      readMemory: (address, length) => context.read(address, length) ?? zeroes(context, address, length),
    });
    if (sources.length > 0) return sources;
  }
  return [{ function: null, file: null, line: null, inlined: false, atLineStart: false, arguments: [] }];
}

/** Values only: a stack that is not in the dump must not be unwound as if it held zeroes. */
function zeroes(context: BacktraceContext, address: number, length: number): Uint8Array | null {
  for (const image of images(context)) {
    const bytes = image.zeroesAt(address, length);
    if (bytes) return bytes;
  }
  return null;
}

/** A return address may belong to the next line or function already: look inside the call instruction. */
function lookupPc({ pc }: UnwoundFrame, level: number): number {
  return level === 0 ? pc : pc - 1;
}

function images({ firmware, roms }: BacktraceContext): FirmwareImage[] {
  return firmware ? [firmware, ...roms] : [...roms];
}
