import { type Architecture, type Chip, isRomAddress } from '../chips.js';
import type { FirmwareImage, SourceFrame } from '../firmware-image.js';
import { MAX_FRAMES_PER_TASK } from '../limits.js';
import type { ReadMemory } from '../memory.js';
import { hex32, type RegisterSet } from '../registers.js';
import type { StackFrame } from '../report.js';
import type { PhysicalFrame, Unwinder } from './frame.js';
import { createRiscvUnwinder } from './riscv.js';
import { createXtensaUnwinder } from './xtensa.js';

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
  const { frames, end } =
    context.architecture === 'xtensa'
      ? unwind(createXtensaUnwinder(registers, context.read), context.budget)
      : unwind(createRiscvUnwinder(registers, context.read, images(context)), context.budget);
  return { frames: nameFrames(frames, context), end };
}

interface UnwoundFrame extends PhysicalFrame {
  cfa: number | null;
}

/** Goes from caller to caller; ends also where a stack would lead in circles. */
function unwind<Frame extends PhysicalFrame>(unwinder: Unwinder<Frame>, budget: { frames: number }) {
  const frames: UnwoundFrame[] = [];
  const seen = new Set<string>();
  let frame = unwinder.first();
  while (true) {
    const step = unwinder.callerOf(frame, frames.length);
    frames.push({ ...frame, cfa: step.cfa });
    seen.add(`${frame.pc}/${frame.sp}`);
    budget.frames--;
    if (!step.caller) return { frames, end: step.end };
    if (seen.has(`${step.caller.pc}/${step.caller.sp}`)) {
      return { frames, end: 'previous frame identical to this frame (corrupt stack?)' };
    }
    if (frames.length >= MAX_FRAMES_PER_TASK || budget.frames <= 0) {
      return { frames, end: `only ${frames.length} frames are shown` };
    }
    frame = step.caller;
  }
}

/** Several frames for one, where functions were inlined. */
function nameFrames(frames: readonly UnwoundFrame[], context: BacktraceContext): StackFrame[] {
  return frames
    .flatMap((frame, level) => {
      const sources = sourcesOf(frame, frames[level + 1] ?? null, level, context);
      // A return address of 0, on Xtensa with the top bits of code, is where a task that never ran would return to.
      const inRom = (frame.pc & 0x3fffffff) !== 0 && isRomAddress(context.chip, frame.pc);
      return sources.map((source) => ({ ...source, pc: hex32(frame.pc), trust: frame.trust, inRom }));
    })
    .map((frame, index) => ({ index, ...frame }));
}

function sourcesOf(
  frame: UnwoundFrame,
  caller: UnwoundFrame | null,
  level: number,
  context: BacktraceContext,
): SourceFrame[] {
  // A return address may belong to the next line or function already: look inside the call instruction.
  const pc = level === 0 ? frame.pc : frame.pc - 1;
  const { registers, cfa } = frame;
  for (const image of images(context)) {
    const sources = image.framesAt(pc, {
      pc: frame.pc,
      registers,
      cfa,
      caller: caller && { pc: caller.pc, registers: caller.registers },
      readMemory: context.read,
    });
    if (sources.length > 0) return sources;
  }
  return [{ function: null, file: null, line: null, inlined: false, atLineStart: false, arguments: [] }];
}

function images({ firmware, roms }: BacktraceContext): FirmwareImage[] {
  return firmware ? [firmware, ...roms] : [...roms];
}
