/** The addresses of an entry: low_pc and high_pc, or a range list (DWARF 5 §2.17, DWARF 4 §2.17.3). */
import { type ByteReader, Malformed } from '../bytes.js';
import { AT } from './constants.js';
import { addressAttribute, attributeOf, indexedAddress, indexedOffset } from './dies.js';
import type { Die, Unit } from './entries.js';
import type { Range } from './range-map.js';

const RLE = {
  end_of_list: 0,
  base_addressx: 1,
  startx_endx: 2,
  startx_length: 3,
  offset_pair: 4,
  base_address: 5,
  start_end: 6,
  start_length: 7,
} as const;

/** A function has a few ranges; a longer list is broken. */
const MAX_RANGES = 100_000;

/** Empty for entries without code. @throws Malformed */
export function rangesOf(die: Die): Range[] {
  const low = addressAttribute(die, AT.low_pc);
  const high = attributeOf(die, AT.high_pc);
  if (low !== null && high !== null) {
    // DWARF 4 §2.17.2: an address, or an offset from low_pc.
    const end = high.kind === 'constant' ? low + high.value : (addressAttribute(die, AT.high_pc) ?? low);
    return [{ start: low, end }].filter(isLinked);
  }
  const ranges = attributeOf(die, AT.ranges);
  if (ranges === null) return [];
  return readRangeList(die.unit, ranges).filter(isLinked);
}

/** Code that the linker dropped is at address 0, or at -1 or -2. */
function isLinked({ start, end }: Range): boolean {
  return start !== 0 && start < end && start < 0xfffffffe;
}

function readRangeList(unit: Unit, value: { kind: string; value?: unknown; index?: number }): Range[] {
  const { file, bases, version } = unit;
  if (value.kind === 'listIndex' && value.index !== undefined) {
    const section = file.section('.debug_rnglists');
    const offset = indexedOffset(unit, '.debug_rnglists', bases.rangeLists, value.index);
    return readModernList(unit, section, bases.rangeLists + offset);
  }
  if (typeof value.value !== 'number') return [];
  if (version >= 5) return readModernList(unit, file.section('.debug_rnglists'), value.value);
  return readOldList(unit, file.section('.debug_ranges'), value.value);
}

function readOldList(unit: Unit, section: ByteReader, offset: number): Range[] {
  const ranges: Range[] = [];
  section.seek(offset);
  let base = unit.bases.lowPc;
  while (true) {
    unit.file.budget.spend(1);
    const start = section.u32();
    const end = section.u32();
    if (start === 0 && end === 0) return ranges;
    if (start === 0xffffffff) base = end;
    else push(ranges, base + start, base + end);
  }
}

function readModernList(unit: Unit, section: ByteReader, offset: number): Range[] {
  const ranges: Range[] = [];
  section.seek(offset);
  let base = unit.bases.lowPc;
  while (true) {
    unit.file.budget.spend(1);
    const kind = section.u8();
    switch (kind) {
      case RLE.end_of_list:
        return ranges;
      case RLE.base_addressx:
        base = indexedAddress(unit, section.uleb128());
        break;
      case RLE.startx_endx:
        push(ranges, indexedAddress(unit, section.uleb128()), indexedAddress(unit, section.uleb128()));
        break;
      case RLE.startx_length: {
        const start = indexedAddress(unit, section.uleb128());
        push(ranges, start, start + section.uleb128());
        break;
      }
      case RLE.offset_pair:
        push(ranges, base + section.uleb128(), base + section.uleb128());
        break;
      case RLE.base_address:
        base = section.u32();
        break;
      case RLE.start_end:
        push(ranges, section.u32(), section.u32());
        break;
      case RLE.start_length: {
        const start = section.u32();
        push(ranges, start, start + section.uleb128());
        break;
      }
      default:
        throw new Malformed(`.debug_rnglists: entry kind ${kind} is not known`);
    }
  }
}

function push(ranges: Range[], start: number, end: number): void {
  if (ranges.length >= MAX_RANGES) throw new Malformed('a range list has no end');
  if (start < end) ranges.push({ start, end });
}
