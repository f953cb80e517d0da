import type { PhysicalFrame } from '../../unwind/frame.js';

/**
 * Where a value was found: an address in memory, or `-1 - n` for the register n of the crash itself. GDB's test for
 * a made-up frame is whether it would take its return address from where its callee took its own.
 */
export type Place = number;

export interface RiscvFrame extends PhysicalFrame {
  places: ReadonlyMap<number, Place>;
  /** Where this frame's pc was found; null in frame 0 and after a stack scan. */
  pcPlace: Place | null;
}
