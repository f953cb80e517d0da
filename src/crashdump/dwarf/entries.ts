/** The parts of debugging information: units, each with a tree of entries (DWARF 5 §2, §7.5.1). */
import type { ByteReader } from '../bytes.js';
import type { Abbreviation, Abbreviations } from './abbreviations.js';
import type { DebugFile } from './debug-file.js';

export interface Die {
  readonly unit: Unit;
  /** Offset in `.debug_info`, which identifies the entry. */
  readonly offset: number;
  readonly tag: number;
  readonly abbreviation: Abbreviation;
  /** Offset of its attribute values. */
  readonly valuesAt: number;
}

export interface UnitHeader {
  /** Offset of the header in `.debug_info`. */
  readonly offset: number;
  readonly end: number;
  readonly version: number;
  /** 64-bit DWARF: offsets have eight bytes. */
  readonly isWide: boolean;
  /** Offset of the unit's table in `.debug_abbrev`. */
  readonly abbreviationsAt: number;
  /** Offset of the first entry. */
  readonly firstEntry: number;
  /** Of type units. */
  readonly signature: bigint | null;
  /** Offset of the type that a type unit is for. */
  readonly typeAt: number | null;
}

/** A unit whose entries can be read. */
export interface Unit extends UnitHeader {
  readonly file: DebugFile;
  /** Finds the targets of references. */
  readonly entries: EntryIndex;
  /** Window over `.debug_info` up to the unit's end; every user seeks before reading. */
  readonly reader: ByteReader;
  readonly abbreviations: Abbreviations;
  /** Bases of index forms; defaults until the first entry has been read. */
  bases: UnitBases;
}

export interface EntryIndex {
  /** The entry at an offset of `.debug_info`, in any unit; null when there is none. @throws Malformed */
  at(offset: number): Die | null;
  /** The type that a type unit of this signature describes. @throws Malformed */
  withSignature(signature: bigint): Die | null;
}

export interface UnitBases {
  readonly stringOffsets: number;
  readonly addresses: number;
  readonly rangeLists: number;
  readonly locationLists: number;
  /** Initial base address of range and location lists. */
  readonly lowPc: number;
}
