/**
 * Call-frame information: how to find the caller's registers at any pc. GCC writes `.debug_frame`, or with exceptions
 * or asynchronous unwind tables `.eh_frame` instead; an ELF may have both, each for a part of its code.
 */
import { type ByteReader, Malformed } from '../bytes.js';
import { ascending, lastAtOrBefore } from '../order.js';
import type { CfiRow } from '../unwind/cfi-row.js';
import {
  type CommonInformation,
  entryAt,
  type FrameDescription,
  type FrameSection,
  orNull,
  readCommon,
  readDescription,
  readRange,
  visitEntries,
} from './call-frame-entries.js';
import { computeRow, wholeFrameSize } from './call-frame-rows.js';
import type { Range } from './range-map.js';

export interface CallFrames {
  /** Null where no description covers `pc`, or where it is broken or uses an expression for the CFA. */
  rowAt(pc: number): CfiRow | null;
  /** The size of the whole frame of the function at `pc`, if its CFA is computed by `register`. */
  wholeFrameSizeAt(pc: number, register: number): number | null;
}

const ROW_CACHE = 4_096;
/** Descriptions of one address: a linker folds functions, or keeps two copies, but not hundreds. */
const MAX_OVERLAPPING = 64;

/**
 * @param sections in the order of preference
 * @param isInMemory whether the firmware has something at the address: functions that the linker dropped are at 0
 */
export function readCallFrames(
  sections: readonly FrameSection[],
  isInMemory: (address: number) => boolean,
): CallFrames {
  const tables = sections.map((section) => openTable(section, isInMemory));
  const rows = new Map<number, CfiRow | null>();
  const descriptionAt = (pc: number): FrameDescription | null => {
    for (const table of tables) {
      const description = table.at(pc);
      if (description !== null) return description;
    }
    return null;
  };
  return {
    rowAt(pc) {
      let row = rows.get(pc);
      if (row === undefined) {
        const description = descriptionAt(pc);
        row = description === null ? null : computeRow(description, pc);
        if (rows.size >= ROW_CACHE) rows.clear();
        rows.set(pc, row);
      }
      return row;
    },
    wholeFrameSizeAt(pc, register) {
      const description = descriptionAt(pc);
      return description === null ? null : orNull(() => wholeFrameSize(description, register));
    },
  };
}

interface FrameTable {
  at(pc: number): FrameDescription | null;
}

function openTable(section: FrameSection, isInMemory: (address: number) => boolean): FrameTable {
  const commons = new Map<number, CommonInformation | null>();
  const commonOf = (commonAt: number | null): CommonInformation | null => {
    if (commonAt === null || commonAt < 0) return null;
    let common = commons.get(commonAt);
    if (common === undefined) {
      common = orNull(() => readCommon(section, commonAt));
      commons.set(commonAt, common);
    }
    return common;
  };
  const { starts, ends, offsets } = indexDescriptions(section, commonOf, isInMemory);

  /** Of several descriptions the one that begins last, and of equal ones the first, as in GDB. */
  const offsetFor = (pc: number): number | null => {
    let found: number | null = null;
    const last = lastAtOrBefore(starts, pc);
    for (let index = last; index >= 0 && index > last - MAX_OVERLAPPING; index--) {
      if (found !== null && starts[index] !== starts[found]) break;
      if (pc < (ends[index] ?? 0)) found = index;
    }
    return found === null ? null : (offsets[found] ?? null);
  };

  return {
    at(pc) {
      const offset = offsetFor(pc);
      if (offset === null) return null;
      return orNull(() => {
        const entry = entryAt(section, offset);
        const common = entry === null ? null : commonOf(entry.commonAt);
        return entry === null || common === null ? null : readDescription(entry.body, common);
      });
    },
  };
}

/** Of described code, ascending by its start, with the offset of each description. */
interface DescriptionIndex {
  starts: Float64Array;
  ends: Float64Array;
  offsets: Float64Array;
}

/** A firmware has thousands of descriptions and a dump needs few, so only their addresses are read here. */
function indexDescriptions(
  section: FrameSection,
  commonOf: (commonAt: number | null) => CommonInformation | null,
  isInMemory: (address: number) => boolean,
): DescriptionIndex {
  const starts: number[] = [];
  const ends: number[] = [];
  const offsets: number[] = [];
  visitEntries(section, (bytes, commonAt, offset, end) => {
    const common = commonOf(commonAt);
    const range = common === null ? null : rangeOrNull(bytes, common);
    if (range === null || bytes.position > end || range.end <= range.start || !isInMemory(range.start))
      return;
    starts.push(range.start);
    ends.push(range.end);
    offsets.push(offset);
  });
  const order = ascending(starts);
  const inOrder = (column: number[]) => {
    const all = new Float64Array(order.length);
    for (let at = 0; at < order.length; at++) all[at] = column[order[at] ?? 0] ?? 0;
    return all;
  };
  return { starts: inOrder(starts), ends: inOrder(ends), offsets: inOrder(offsets) };
}

function rangeOrNull(bytes: ByteReader, common: CommonInformation): Range | null {
  try {
    return readRange(bytes, common);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
