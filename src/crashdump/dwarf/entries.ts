/** What debugging information is made of: units, and in each a tree of entries (DWARF 5 §2, §7.5.1). */
import type { ByteReader } from '../bytes.js';
import type { Abbreviation, Abbreviations } from './abbreviations.js';
import type { DebugFile } from './debug-file.js';

export interface Die {
  readonly unit: Unit;
  /** In `.debug_info`; names the entry. */
  readonly offset: number;
  readonly tag: number;
  readonly abbreviation: Abbreviation;
  /** Where its attribute values begin. */
  readonly valuesAt: number;
}

export interface UnitHeader {
  /** Offset of the header in `.debug_info`. */
  readonly offset: number;
  readonly end: number;
  readonly version: number;
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
  /** Where references lead to. */
  readonly entries: EntryIndex;
  /** Window over `.debug_info` up to the unit's end; every user seeks before reading. */
  readonly reader: ByteReader;
  readonly abbreviations: Abbreviations;
  /** What index forms count from; defaults until the first entry has been read. */
  bases: UnitBases;
}

export interface EntryIndex {
  /** The entry at an offset of `.debug_info`, in whatever unit; null when there can be none. @throws Malformed */
  at(offset: number): Die | null;
  /** The type that a type unit of this signature describes. @throws Malformed */
  withSignature(signature: bigint): Die | null;
}

export interface UnitBases {
  readonly stringOffsets: number;
  readonly addresses: number;
  readonly rangeLists: number;
  readonly locationLists: number;
  /** What range and location lists are relative to, until they say otherwise. */
  readonly lowPc: number;
}
