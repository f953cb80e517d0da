/** The debug information of one ELF: its units, which are opened at their first use and kept. */
import type { ElfFile } from '../elf/elf-file.js';
import { type DebugFile, openDebugFile } from './debug-file.js';
import { dieAt } from './dies.js';
import type { EntryIndex, Unit, UnitHeader } from './entries.js';
import { createFunctionIndex, type FunctionIndex } from './functions.js';
import { type LineTable, readLineTable } from './line-table.js';
import { createRangeMap, type Range, type RangeMap, Ranges } from './range-map.js';
import { rangesOf } from './ranges.js';
import { readOffset, readUnitLength } from './unit-length.js';
import { openUnit, readUnitHeaders, type UnitRoot } from './units.js';

export interface DebugInformation {
  readonly file: DebugFile;
  readonly entries: EntryIndex;
  readonly unitHeaders: readonly UnitHeader[];
  /** The unit whose code covers the address. */
  unitAt(address: number): OpenUnit | null;
  /** Null for a unit that cannot be read. */
  open(header: UnitHeader): OpenUnit | null;
}

export interface OpenUnit {
  readonly unit: Unit;
  readonly root: UnitRoot;
  readonly lines: LineTable;
  readonly functions: FunctionIndex;
}

export function openDebugInformation(elf: ElfFile): DebugInformation {
  const file = openDebugFile(elf);
  const unitHeaders = readUnitHeaders(file);
  const opened = new Map<UnitHeader, OpenUnit | null>();
  let byAddress: RangeMap<UnitHeader> | undefined;
  let bySignature: Map<bigint, UnitHeader> | undefined;

  const open = (header: UnitHeader): OpenUnit | null => {
    let unit = opened.get(header);
    if (unit === undefined) {
      unit = file.attempt(`The unit at ${header.offset} of .debug_info`, null, () => {
        const parts = openUnit(file, entries, header);
        return { ...parts, ...lazyParts(file, parts) };
      });
      opened.set(header, unit);
    }
    return unit;
  };

  const entries: EntryIndex = {
    at(offset) {
      const header = headerAround(unitHeaders, offset);
      const unit = header === null ? null : open(header);
      return unit === null ? null : dieAt(unit.unit, offset);
    },
    withSignature(signature) {
      bySignature ??= new Map(
        unitHeaders.flatMap((header) =>
          header.signature === null ? [] : [[header.signature, header] as const],
        ),
      );
      const typeAt = bySignature.get(signature)?.typeAt;
      return typeAt === undefined || typeAt === null ? null : entries.at(typeAt);
    },
  };

  return {
    file,
    entries,
    unitHeaders,
    open,
    unitAt(address) {
      byAddress ??= indexByAddress(file, unitHeaders, open);
      const header = byAddress.at(address);
      return header === null ? null : open(header);
    },
  };
}

/** Most units are opened only for a name or a type. */
function lazyParts(file: DebugFile, { unit, root }: { unit: Unit; root: UnitRoot }) {
  let lines: LineTable | undefined;
  let functions: FunctionIndex | undefined;
  return {
    get lines() {
      lines ??= readLineTable(file, unit, root);
      return lines;
    },
    get functions() {
      functions ??= createFunctionIndex(unit, root);
      return functions;
    },
  };
}

function headerAround(headers: readonly UnitHeader[], offset: number): UnitHeader | null {
  let low = 0;
  let high = headers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((headers[middle]?.offset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  const header = headers[low - 1];
  return header !== undefined && offset < header.end ? header : null;
}

/** Uses `.debug_aranges` for the units that it contains, otherwise the unit's own first entry. */
function indexByAddress(
  file: DebugFile,
  headers: readonly UnitHeader[],
  open: (header: UnitHeader) => OpenUnit | null,
): RangeMap<UnitHeader> {
  const { ranges, listed } = file.attempt('.debug_aranges', noAddressRanges(), () =>
    readAddressRanges(file, headers),
  );
  for (const header of headers) {
    if (header.signature !== null || listed.has(header.offset)) continue;
    for (const { start, end } of rangesOfRoot(file, open(header))) ranges.add(start, end, header);
  }
  return createRangeMap(ranges);
}

function rangesOfRoot(file: DebugFile, unit: OpenUnit | null): Range[] {
  if (unit === null) return [];
  return file.attempt(`The ranges of the unit at ${unit.unit.offset}`, [], () => rangesOf(unit.root.entry));
}

interface AddressRanges {
  readonly ranges: Ranges<UnitHeader>;
  /** Offsets of the units in `.debug_aranges`. */
  readonly listed: Set<number>;
}

function noAddressRanges(): AddressRanges {
  return { ranges: new Ranges(), listed: new Set() };
}

/** DWARF 5 §6.1.2: for each unit, by the offset of its header, the ranges that have code. @throws Malformed */
function readAddressRanges(file: DebugFile, headers: readonly UnitHeader[]): AddressRanges {
  const found = noAddressRanges();
  const section = file.section('.debug_aranges');
  while (section.remaining >= 12) {
    const { length, isWide } = readUnitLength(section);
    const set = section.split('address ranges of a unit', length);
    set.skip(2);
    const unitOffset = readOffset(set, isWide);
    const addressSize = set.u8();
    const segmentSize = set.u8();
    const header = headerAround(headers, unitOffset);
    if (addressSize !== 4 || segmentSize !== 0 || header?.offset !== unitOffset) continue;
    if (header.signature !== null) continue;
    found.listed.add(unitOffset);
    // Tuples are aligned to their own size, counted from the set's start.
    set.seek(Math.min(12, set.length));
    const tuples = set.words(Math.floor(set.remaining / 8) * 2);
    file.budget.spend(tuples.length);
    for (let at = 0; at < tuples.length; at += 2) {
      const start = tuples[at] ?? 0;
      // (0, 0) should end the set, but a linker that drops sections leaves the same in the middle.
      if (start !== 0) found.ranges.add(start, start + (tuples[at + 1] ?? 0), header);
    }
  }
  return found;
}
