/** Units of `.debug_info` (DWARF 5 §7.5.1): their headers, and the data of their first entry. */
import { type ByteReader, Malformed } from '../bytes.js';
import { AT } from './constants.js';
import type { DebugFile } from './debug-file.js';
import { addressAttribute, constantAttribute, dieAt, stringAttribute } from './dies.js';
import type { Die, EntryIndex, Unit, UnitHeader } from './entries.js';
import { readOffset, readUnitLength } from './unit-length.js';

/** The data of the first entry. */
export interface UnitRoot {
  readonly entry: Die;
  readonly name: string | null;
  readonly compilationDirectory: string | null;
  readonly language: number | null;
  /** Offset in `.debug_line`. */
  readonly lineProgramAt: number | null;
}

const UNIT_TYPE = { type: 0x02, skeleton: 0x04, split_compile: 0x05, split_type: 0x06 } as const;
const MAX_UNITS = 100_000;

/** All headers, in the order of the section. A header with a wrong length ends the list. */
export function readUnitHeaders(file: DebugFile): UnitHeader[] {
  const section = file.section('.debug_info');
  const headers: UnitHeader[] = [];
  while (section.remaining >= 11 && headers.length < MAX_UNITS) {
    const offset = section.position;
    const what = `The unit at ${offset} of .debug_info`;
    const start = file.attempt(what, null, () => {
      const { length, isWide } = readUnitLength(section);
      if (length > section.remaining)
        throw new Malformed(`it claims ${length} bytes, has ${section.remaining}`);
      return { offset, bodyAt: section.position, isWide, body: section.split('unit header', length) };
    });
    if (start === null) break;
    const header = file.attempt(what, null, () => readHeader(start, section.position));
    if (header !== null) headers.push(header);
  }
  return headers;
}

interface UnitStart {
  offset: number;
  /** Where the unit is behind its length. */
  bodyAt: number;
  isWide: boolean;
  body: ByteReader;
}

function readHeader({ offset, bodyAt, isWide, body }: UnitStart, end: number): UnitHeader {
  const version = body.u16();
  if (version < 2 || version > 5) throw new Malformed(`DWARF version ${version} is not known`);
  const unitType = version >= 5 ? body.u8() : 0;
  const addressSizeFirst = version >= 5 ? body.u8() : 4;
  const abbreviationsAt = readOffset(body, isWide);
  const addressSize = version >= 5 ? addressSizeFirst : body.u8();
  if (addressSize !== 4) throw new Malformed(`addresses have ${addressSize} bytes`);
  let signature: bigint | null = null;
  let typeAt: number | null = null;
  if (unitType === UNIT_TYPE.type || unitType === UNIT_TYPE.split_type) {
    signature = body.u64();
    typeAt = offset + readOffset(body, isWide);
  } else if (unitType === UNIT_TYPE.skeleton || unitType === UNIT_TYPE.split_compile) {
    body.skip(8);
  }
  const firstEntry = bodyAt + body.position;
  return { offset, end, version, isWide, abbreviationsAt, firstEntry, signature, typeAt };
}

/** @throws Malformed */
export function openUnit(
  file: DebugFile,
  entries: EntryIndex,
  header: UnitHeader,
): { unit: Unit; root: UnitRoot } {
  // Behind the header of `.debug_str_offsets` or `.debug_addr`.
  const tableStart = header.isWide ? 16 : 8;
  const unit: Unit = {
    ...header,
    file,
    entries,
    reader: file.section('.debug_info').slice('.debug_info', 0, header.end),
    abbreviations: file.abbreviations(header.abbreviationsAt, header.isWide),
    bases: { stringOffsets: tableStart, addresses: tableStart, rangeLists: 0, locationLists: 0, lowPc: 0 },
  };
  const entry = dieAt(unit, header.firstEntry);
  if (entry === null) throw new Malformed(`the unit at ${header.offset} of .debug_info is empty`);
  // The bases are read first, because other attributes may depend on them.
  const base = (name: number, otherwise: number) => constantAttribute(entry, name) ?? otherwise;
  unit.bases = {
    stringOffsets: base(AT.str_offsets_base, tableStart),
    addresses: base(AT.addr_base, tableStart),
    rangeLists: base(AT.rnglists_base, 0),
    locationLists: base(AT.loclists_base, 0),
    lowPc: 0,
  };
  unit.bases = { ...unit.bases, lowPc: addressAttribute(entry, AT.low_pc) ?? 0 };
  return {
    unit,
    root: {
      entry,
      name: stringAttribute(entry, AT.name),
      compilationDirectory: stringAttribute(entry, AT.comp_dir),
      language: constantAttribute(entry, AT.language),
      lineProgramAt: constantAttribute(entry, AT.stmt_list),
    },
  };
}
