import { type ByteReader, Malformed } from '../bytes.js';
import type { WorkBudget } from './budget.js';
import { FORM } from './constants.js';
import { fixedFormSize, formOf } from './forms.js';

/** The layout of entries with one abbreviation code (DWARF 5 §7.5.3). */
export interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly attributes: readonly AttributeSpecification[];
  /** Of the attributes. */
  readonly names: readonly number[];
  /** Size of all attribute values together in bytes; null when it differs from entry to entry. */
  readonly valuesSize: number | null;
  /** Steps that skip all values: a number of bytes, or a value of form `-1 - step`, whose size must be read. */
  readonly steps: readonly number[];
}

export interface AttributeSpecification {
  readonly name: number;
  readonly form: number;
  /** The value itself for DW_FORM_implicit_const. */
  readonly implicitValue: number;
  /** Bytes of the values before this one; null when they differ from entry to entry. */
  readonly offset: number | null;
}

/** Compilers write a few dozen. A search among a million for every entry would be too slow. */
const MAX_ATTRIBUTES = 1_000;

/** By code; compilers count from 1. */
export type Abbreviations = readonly (Abbreviation | undefined)[];

/**
 * Reads the table at `offset` of `.debug_abbrev`.
 * @param isWide for a unit of 64-bit DWARF
 * @throws Malformed
 */
export function readAbbreviations(
  section: ByteReader,
  offset: number,
  isWide: boolean,
  budget: WorkBudget,
): Abbreviations {
  const table: (Abbreviation | undefined)[] = [];
  const reader = section.slice('abbreviations', offset, section.length - offset);
  while (!reader.atEnd) {
    const start = reader.position;
    const code = reader.uleb128();
    if (code === 0) break;
    const tag = reader.uleb128();
    const hasChildren = reader.u8() !== 0;
    const attributes = readAttributes(reader, isWide);
    budget.spend(reader.position - start);
    table[code] = {
      tag,
      hasChildren,
      attributes,
      names: attributes.map(({ name }) => name),
      ...layOut(attributes),
    };
  }
  return table;
}

function readAttributes(reader: ByteReader, isWide: boolean): AttributeSpecification[] {
  const attributes: AttributeSpecification[] = [];
  let offset: number | null = 0;
  while (true) {
    const name = reader.uleb128();
    const form = formOf(reader.uleb128(), isWide);
    const implicitValue = form === FORM.implicit_const ? reader.sleb128() : 0;
    if (name === 0 && form === 0) return attributes;
    if (attributes.length >= MAX_ATTRIBUTES) throw new Malformed('an abbreviation has too many attributes');
    attributes.push({ name, form, implicitValue, offset });
    const size = fixedFormSize(form);
    offset = offset === null || size === null ? null : offset + size;
  }
}

function layOut(attributes: readonly AttributeSpecification[]): Pick<Abbreviation, 'valuesSize' | 'steps'> {
  const steps: number[] = [];
  let bytes = 0;
  for (const { form } of attributes) {
    const size = fixedFormSize(form);
    if (size === null) {
      if (bytes > 0) steps.push(bytes);
      steps.push(-1 - form);
      bytes = 0;
    } else bytes += size;
  }
  if (steps.length === 0) return { valuesSize: bytes, steps };
  if (bytes > 0) steps.push(bytes);
  return { valuesSize: null, steps };
}
