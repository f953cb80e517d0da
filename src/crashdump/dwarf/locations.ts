/**
 * The location of a variable at an address: an expression, or an entry of a location list (DWARF 5 §2.6, DWARF 4
 * §2.6.2).
 */
import { type ByteReader, Malformed } from '../bytes.js';
import { attributeOf, indexedAddress, indexedOffset } from './dies.js';
import type { Die, Unit } from './entries.js';

const LLE = {
  end_of_list: 0,
  base_addressx: 1,
  startx_endx: 2,
  startx_length: 3,
  offset_pair: 4,
  default_location: 5,
  base_address: 6,
  start_end: 7,
  start_length: 8,
  GNU_view_pair: 9,
} as const;

const MAX_ENTRIES = 100_000;

/** Null where the variable has no location. @throws Malformed */
export function locationAt(die: Die, attribute: number, pc: number): Uint8Array | null {
  const value = attributeOf(die, attribute);
  if (value === null) return null;
  if (value.kind === 'block') return value.bytes.length === 0 ? null : value.bytes;
  const { unit } = die;
  if (value.kind === 'listIndex') {
    const section = unit.file.section('.debug_loclists');
    const base = unit.bases.locationLists;
    const offset = indexedOffset(unit, '.debug_loclists', base, value.index);
    return findInModernList(unit, section, base + offset, pc);
  }
  if (value.kind !== 'sectionOffset' && value.kind !== 'constant') return null;
  if (unit.version >= 5) return findInModernList(unit, unit.file.section('.debug_loclists'), value.value, pc);
  return findInOldList(unit, unit.file.section('.debug_loc'), value.value, pc);
}

function findInOldList(unit: Unit, section: ByteReader, offset: number, pc: number): Uint8Array | null {
  section.seek(offset);
  let base = unit.bases.lowPc;
  for (let count = 0; count < MAX_ENTRIES; count++) {
    const start = section.u32();
    const end = section.u32();
    if (start === 0 && end === 0) return null;
    if (start === 0xffffffff) {
      base = end;
      continue;
    }
    const expression = section.take(section.u16());
    if (pc >= base + start && pc < base + end) return expression.length === 0 ? null : expression;
  }
  throw new Malformed('a location list has no end');
}

function findInModernList(unit: Unit, section: ByteReader, offset: number, pc: number): Uint8Array | null {
  section.seek(offset);
  let base = unit.bases.lowPc;
  let fallback: Uint8Array | null = null;
  const indexed = () => indexedAddress(unit, section.uleb128());
  const expression = () => section.take(section.uleb128());
  const isHere = (start: number, end: number) => pc >= start && pc < end;
  for (let count = 0; count < MAX_ENTRIES; count++) {
    const kind = section.u8();
    let covers = false;
    switch (kind) {
      case LLE.end_of_list:
        return fallback;
      case LLE.base_addressx:
        base = indexed();
        continue;
      case LLE.base_address:
        base = section.u32();
        continue;
      case LLE.GNU_view_pair:
        section.skipLeb128();
        section.skipLeb128();
        continue;
      case LLE.default_location:
        fallback = expression();
        continue;
      case LLE.startx_endx:
        covers = isHere(indexed(), indexed());
        break;
      case LLE.startx_length: {
        const start = indexed();
        covers = isHere(start, start + section.uleb128());
        break;
      }
      case LLE.offset_pair:
        covers = isHere(base + section.uleb128(), base + section.uleb128());
        break;
      case LLE.start_end:
        covers = isHere(section.u32(), section.u32());
        break;
      case LLE.start_length: {
        const start = section.u32();
        covers = isHere(start, start + section.uleb128());
        break;
      }
      default:
        throw new Malformed(`.debug_loclists: entry kind ${kind} is not known`);
    }
    const found = expression();
    if (covers) return found.length === 0 ? null : found;
  }
  throw new Malformed('a location list has no end');
}
