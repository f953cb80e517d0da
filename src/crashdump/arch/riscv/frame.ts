import type { PhysicalFrame } from '../../unwind/frame.js';

/**
 * Where a value was found: an address in memory, or `-1 - n` for register n of the crash. Like GDB, the unwinder stops
 * when a frame's return address would come from the same place as its callee's.
 */
export type Place = number;

export interface RiscvFrame extends PhysicalFrame {
  places: ReadonlyMap<number, Place>;
  /** Where this frame's pc was found; null in frame 0 and after a stack scan. */
  pcPlace: Place | null;
  /** Its registers are those at its call: the callee is a routine that saves registers for it. */
  isAtCall?: boolean;
}
