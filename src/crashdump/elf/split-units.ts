/** Units whose debug information is in another file (DWARF 5 §3.1.2, and before that the GNU extension). */
import { type ByteReader, Malformed } from '../bytes.js';
import type { ElfSection } from './elf-file.js';
import type { SectionSearch } from './section-search.js';

const UNIT_TYPE_SKELETON = 4;
const AT_dwo_name = 0x76;
const AT_GNU_dwo_name = 0x2130;
const FORM_implicit_const = 0x21;

/** Enough for the header and the first entry's abbreviation code. */
const HEADER_BYTES = 48;
/** Enough for the abbreviation of a unit's first entry. */
const ABBREVIATION_BYTES = 256;
const MAX_UNITS = 20_000;
const MAX_ATTRIBUTES = 64;

interface UnitHeader {
  /** Of the whole unit, with its length. */
  size: number;
  isSkeleton: boolean;
  /** Where the abbreviation of the first entry may tell; null where the header has told. */
  abbreviation: { at: number; code: number } | null;
}

/** Reads the headers only: the units of a firmware are as large as the whole file. */
export function* countSplitUnits(sections: readonly ElfSection[]): SectionSearch<number> {
  const named = (name: string) =>
    sections.find((section) => section.name === `.debug_${name}` || section.name === `.zdebug_${name}`);
  const [info, abbreviations] = [named('info'), named('abbrev')];
  // Both kinds keep their addresses in the ELF, in this section.
  if (info === undefined || abbreviations === undefined || named('addr') === undefined) return 0;

  let count = 0;
  let offset = 0;
  for (let units = 0; units < MAX_UNITS; units++) {
    const bytes = yield { section: info, offset, length: HEADER_BYTES, isRaw: false };
    const header = orNull(() => readHeader(bytes));
    if (header === null) break;
    if (header.isSkeleton) count += 1;
    else if (header.abbreviation !== null) {
      const { at, code } = header.abbreviation;
      const table = yield { section: abbreviations, offset: at, length: ABBREVIATION_BYTES, isRaw: false };
      if (orNull(() => namesOtherFile(table, code)) === true) count += 1;
    }
    offset += header.size;
  }
  return count;
}

/** @throws Malformed */
function readHeader(bytes: ByteReader): UnitHeader | null {
  let length = bytes.u32();
  const isWide = length === 0xffffffff;
  if (isWide) length = Number(bytes.u64());
  const size = length + bytes.position;
  const offset = () => (isWide ? Number(bytes.u64()) : bytes.u32());
  const version = bytes.u16();
  if (length < 7 || version < 2 || version > 5) return null;
  if (version === 5) return { size, isSkeleton: bytes.u8() === UNIT_TYPE_SKELETON, abbreviation: null };
  const at = offset();
  bytes.skip(1);
  return { size, isSkeleton: false, abbreviation: { at, code: bytes.uleb128() } };
}

/** @throws Malformed */
function namesOtherFile(table: ByteReader, code: number): boolean {
  if (table.uleb128() !== code) return false;
  table.skipLeb128();
  table.skip(1);
  for (let count = 0; count < MAX_ATTRIBUTES; count++) {
    const [name, form] = [table.uleb128(), table.uleb128()];
    if (name === AT_dwo_name || name === AT_GNU_dwo_name) return true;
    if (name === 0 && form === 0) return false;
    if (form === FORM_implicit_const) table.skipLeb128();
  }
  return false;
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
