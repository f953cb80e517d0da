import { MAX_FRAMES_PER_TASK } from '../limits.js';
import type { PhysicalFrame, Unwinder, Unwound, UnwoundFrame } from './frame.js';

/** Goes from caller to caller; also stops at a cycle in the stack. */
export function followCallers<Frame extends PhysicalFrame>(
  unwinder: Unwinder<Frame>,
  budget: { frames: number },
): Unwound {
  const frames: UnwoundFrame[] = [];
  const seen = new Set<string>();
  let frame = unwinder.first();
  while (true) {
    const step = unwinder.callerOf(frame, frames.length);
    const { pc, registers, trust } = frame;
    frames.push({ pc, registers, trust, cfa: step.cfa });
    seen.add(keyOf(frame, frames.length - 1));
    budget.frames--;
    if (!step.caller) return { frames, end: step.end };
    if (seen.has(keyOf(step.caller, frames.length))) {
      return { frames, end: 'previous frame identical to this frame (corrupt stack?)' };
    }
    if (frames.length >= MAX_FRAMES_PER_TASK || budget.frames <= 0) {
      return { frames, end: `only ${frames.length} frames are shown` };
    }
    frame = step.caller;
  }
}

/** A return address may be the start of the next function: the frame is that of the call in front of it. */
function keyOf({ pc, sp }: PhysicalFrame, level: number): string {
  return `${level === 0 ? pc : pc - 1}/${sp}`;
}
