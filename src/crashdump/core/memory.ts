import type { ReadMemory } from '../read-memory.js';

/** A contiguous range of dumped bytes, with its address on the chip. */
export interface MemorySegment {
  address: number;
  bytes: Uint8Array;
  /** `p_flags` had PF_X: code that the device copied out of its ROM or IRAM. */
  executable: boolean;
}

/**
 * The memory image of a dump. Segments may overlap in a broken or hostile dump: then the one with the lower start
 * address takes precedence, so that the result of a read does not depend on the order of the segments.
 */
export class DumpMemory {
  /** In the order of the dump. */
  readonly segments: readonly MemorySegment[];
  /** Sorted by address, without overlaps. */
  readonly #runs: MemorySegment[] = [];
  readonly overlaps: number;

  constructor(segments: readonly MemorySegment[]) {
    this.segments = segments;
    let overlaps = 0;
    let end = 0;
    for (const segment of segments.toSorted((a, b) => a.address - b.address)) {
      const segmentEnd = segment.address + segment.bytes.length;
      const hidden = Math.min(Math.max(end - segment.address, 0), segment.bytes.length);
      if (hidden > 0) overlaps++;
      if (segmentEnd > end) {
        this.#runs.push({
          ...segment,
          address: segment.address + hidden,
          bytes: segment.bytes.subarray(hidden),
        });
        end = segmentEnd;
      }
    }
    this.overlaps = overlaps;
  }

  /** Borrowed, not copied. A read does not cross from one segment into the next. */
  readonly read: ReadMemory = (address, length) => {
    const run = this.#runAt(address);
    if (!run) return null;
    const start = address - run.address;
    return start + length <= run.bytes.length ? run.bytes.subarray(start, start + length) : null;
  };

  /** The segment that contains `address`. */
  segmentAt(address: number): MemorySegment | null {
    return this.#runAt(address);
  }

  #runAt(address: number): MemorySegment | null {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.address ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const run = this.#runs[low - 1];
    return run && address < run.address + run.bytes.length ? run : null;
  }
}

/** Where COREDUMP_FAKE_STACK_START is: Xtensa, RISC-V up to IDF 6.0; RISC-V since 6.1, for the memory of the esp32s31. */
const PLACEHOLDERS = [0x20000000, 0x70000000];
/** A placeholder for each of at most 256 tasks, each as large as the registers of a task; no chip has memory there. */
const PLACEHOLDERS_SIZE = 0x100000;

/** Addresses that the device uses as placeholders for corrupted stacks. */
export function isPlaceholder(address: number): boolean {
  return PLACEHOLDERS.some((start) => address >= start && address < start + PLACEHOLDERS_SIZE);
}
