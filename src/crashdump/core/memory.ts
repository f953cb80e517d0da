import type { ReadMemory } from '../read-memory.js';

/** A run of bytes that the dump holds, at the address where the chip had them. */
export interface MemorySegment {
  address: number;
  bytes: Uint8Array;
  /** `p_flags` had PF_X: code that the device copied out of its ROM or IRAM. */
  executable: boolean;
}

/**
 * The memory image of a dump. Segments may overlap (a broken or hostile dump does that): the one that starts at the
 * lower address wins, so that a read has one answer however the dump is ordered.
 */
export class DumpMemory {
  /** As they stand in the dump. */
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

  /** The segment of the dump that holds `address`. */
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

/**
 * Addresses that the device makes up for stacks that it found broken: COREDUMP_FAKE_STACK_START is 0x20000000, on
 * chips that have memory there 0x70000000.
 */
export function isPlaceholder(address: number): boolean {
  return (address >= 0x20000000 && address < 0x2f000000) || (address >= 0x70000000 && address < 0x80000000);
}
