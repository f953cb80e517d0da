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
    const { pc, sp, registers, trust } = frame;
    frames.push({ pc, registers, trust, cfa: step.cfa });
    seen.add(`${pc}/${sp}`);
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
