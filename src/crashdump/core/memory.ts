import type { ReadMemory } from '../read-memory.js';

/** A contiguous range of dumped bytes, with its address on the chip. */
export interface MemorySegment {
  address: number;
  bytes: Uint8Array;
  /** `p_flags` had PF_X: code that the device copied out of its ROM or IRAM. */
  executable: boolean;
}

/**
 * The memory image of a dump. Segments may overlap: a device that dumps all its memory writes control blocks and stacks
 * a second time. Where their bytes differ, the one with the lower start address takes precedence, so that the result of
 * a read does not depend on the order of the segments.
 */
export class DumpMemory {
  /** In the order of the dump. */
  readonly segments: readonly MemorySegment[];
  /** Sorted by address, without overlaps. */
  readonly #runs: MemorySegment[] = [];
  /** Segments that overlap others and say something else. */
  readonly conflicts: number;

  constructor(segments: readonly MemorySegment[]) {
    this.segments = segments;
    let conflicts = 0;
    let budget = MOST_COMPARED_BYTES;
    for (const segment of segments.toSorted((a, b) => a.address - b.address)) {
      const last = this.#runs.at(-1);
      const end = last ? last.address + last.bytes.length : 0;
      const segmentEnd = segment.address + segment.bytes.length;
      const hidden = Math.min(Math.max(end - segment.address, 0), segment.bytes.length);
      if (hidden > 0) {
        budget -= hidden;
        if (budget < 0 || !this.#holdsSame(segment, hidden)) conflicts++;
      }
      if (segmentEnd > end) {
        this.#runs.push({
          ...segment,
          address: segment.address + hidden,
          bytes: segment.bytes.subarray(hidden),
        });
      }
    }
    this.conflicts = conflicts;
  }

  /** Borrowed when one segment holds all of it, otherwise a copy of adjacent ones. */
  readonly read: ReadMemory = (address, length) => {
    const index = this.#indexAt(address);
    const run = this.#runs[index];
    if (!run) return null;
    const start = address - run.address;
    if (start + length <= run.bytes.length) return run.bytes.subarray(start, start + length);
    return length > LONGEST_JOINED_READ ? null : this.#join(index, address, length);
  };

  /** The segment that contains `address`. */
  segmentAt(address: number): MemorySegment | null {
    return this.#runs[this.#indexAt(address)] ?? null;
  }

  #join(first: number, address: number, length: number): Uint8Array | null {
    const joined = new Uint8Array(length);
    let filled = 0;
    for (let index = first; filled < length; index++) {
      const run = this.#runs[index];
      const start = address + filled - (run?.address ?? 0);
      if (!run || start < 0 || start >= run.bytes.length) return null;
      const part = run.bytes.subarray(start, start + length - filled);
      joined.set(part, filled);
      filled += part.length;
    }
    return joined;
  }

  /** Whether the runs so far hold the same bytes as the first `length` ones of `segment`. */
  #holdsSame(segment: MemorySegment, length: number): boolean {
    let compared = 0;
    for (let index = this.#indexAt(segment.address); compared < length; index++) {
      const run = this.#runs[index];
      const start = segment.address + compared - (run?.address ?? 0);
      if (!run) return false;
      const known = run.bytes.subarray(start, start + length - compared);
      const bytes = segment.bytes.subarray(compared, compared + known.length);
      if (known.length === 0 || !isSame(known, bytes)) return false;
      compared += known.length;
    }
    return true;
  }

  /** Index of the run that contains `address`; -1 when none does. */
  #indexAt(address: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.address ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const run = this.#runs[low - 1];
    return run && address < run.address + run.bytes.length ? low - 1 : -1;
  }
}

/** Many program headers can name the same bytes; beyond this an overlap counts as a conflict without a look. */
const MOST_COMPARED_BYTES = 16 * 1024 * 1024;
/** Of frames and control blocks; longer reads are of one segment. */
const LONGEST_JOINED_READ = 64 * 1024;

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.buffer === b.buffer && a.byteOffset === b.byteOffset) return true;
  return a.every((byte, index) => byte === b[index]);
}

/** Where COREDUMP_FAKE_STACK_START is: Xtensa, RISC-V up to IDF 6.0; RISC-V since 6.1, for the memory of the esp32s31. */
const PLACEHOLDERS = [0x20000000, 0x70000000];
/** A placeholder for each of at most 256 tasks, each as large as the registers of a task; no chip has memory there. */
const PLACEHOLDERS_SIZE = 0x100000;

/** Addresses that the device uses as placeholders for corrupted stacks. */
export function isPlaceholder(address: number): boolean {
  return PLACEHOLDERS.some((start) => address >= start && address < start + PLACEHOLDERS_SIZE);
}
