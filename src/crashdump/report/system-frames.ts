import type { CrashTask, StackFrame } from '../report.js';
import { framesOfPanic } from './rust-runtime-frames.js';
import { isSystemFunction } from './system-functions.js';

/** True for a frame of the application's own code: as it was judged, else by its names. */
export function isOwnFrame(frame: StackFrame): boolean {
  return frame.isOwnCode ?? seemsOwn(frame);
}

/** True for a frame of the code that crashed: named, not in ROM, and no system frame. */
function seemsOwn(frame: StackFrame): boolean {
  return frame.function !== null && !frame.inRom && !isSystemFunction(frame.function);
}

type Backtraces = Pick<CrashTask, 'frames' | 'interruptedFrames'>;

/** Both backtraces with what the reader thinks of each frame. Frames inside of a panic only report it. */
export function judgeFrames<Task extends Backtraces>(task: Task): Task {
  const { frames, interruptedFrames } = task;
  const outside = frames.length - framesOfPanic(frames).length;
  return {
    ...task,
    frames: frames.map((frame, at) => ({ ...frame, isOwnCode: at >= outside && seemsOwn(frame) })),
    interruptedFrames: interruptedFrames.map((frame) => ({ ...frame, isOwnCode: seemsOwn(frame) })),
  };
}

/**
 * The frames of the application's own code, innermost first. When an interrupt only detected the crash (a watchdog, a
 * task switch that finds an overflowed stack) those of the interrupted task.
 */
export function culpritFrames(task: Backtraces): StackFrame[] {
  const { frames, interruptedFrames } = judgedOnce(task);
  const own = frames.filter(({ isOwnCode }) => isOwnCode);
  return own.length > 0 ? own : interruptedFrames.filter(({ isOwnCode }) => isOwnCode);
}

/** A judgement that a frame has already, by rules, stays. */
export function judgedOnce<Task extends Backtraces>(task: Task): Task {
  const judged = judgeFrames(task);
  const keep = (before: StackFrame[], after: StackFrame[]) =>
    after.map((frame, at) => ({ ...frame, isOwnCode: before[at]?.isOwnCode ?? frame.isOwnCode === true }));
  return {
    ...task,
    frames: keep(task.frames, judged.frames),
    interruptedFrames: keep(task.interruptedFrames, judged.interruptedFrames),
  };
}
