import type { CrashTask, StackFrame } from '../report.js';
import { framesOfPanic } from './rust-runtime-frames.js';
import { isSystemFunction } from './system-functions.js';

/** True for a frame of the code that crashed: named, not in ROM, and no system frame. */
export function isOwnFrame(frame: StackFrame): boolean {
  return frame.function !== null && !frame.inRom && !isSystemFunction(frame.function);
}

/**
 * The frames of the application's own code, innermost first. When an interrupt only detected the crash (a watchdog, a
 * task switch that finds an overflowed stack) those of the interrupted task.
 */
export function culpritFrames({
  frames,
  interruptedFrames,
}: Pick<CrashTask, 'frames' | 'interruptedFrames'>): StackFrame[] {
  const own = framesOfPanic(frames).filter(isOwnFrame);
  return own.length > 0 ? own : interruptedFrames.filter(isOwnFrame);
}
