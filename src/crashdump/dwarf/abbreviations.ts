import { type ByteReader, Malformed } from '../bytes.js';
import type { WorkBudget } from './budget.js';
import { FORM } from './constants.js';
import { fixedFormSize } from './forms.js';

/** How the entries of one shape are written (DWARF 5 §7.5.3). */
export interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly attributes: readonly AttributeSpecification[];
  /** Of the attributes. */
  readonly names: readonly number[];
  /** Bytes that the values of all attributes take together; null when that differs from entry to entry. */
  readonly valuesSize: number | null;
}

export interface AttributeSpecification {
  readonly name: number;
  readonly form: number;
  /** The value itself for DW_FORM_implicit_const. */
  readonly implicitValue: number;
}

/** Compilers write a few dozen. Looking for one among a million, entry after entry, would take for ever. */
const MAX_ATTRIBUTES = 1_000;

/** By code. */
export type Abbreviations = ReadonlyMap<number, Abbreviation>;

/**
 * Reads the table at `offset` of `.debug_abbrev`.
 * @throws Malformed
 */
export function readAbbreviations(section: ByteReader, offset: number, budget: WorkBudget): Abbreviations {
  const table = new Map<number, Abbreviation>();
  const reader = section.slice('abbreviations', offset, section.length - offset);
  while (!reader.atEnd) {
    const start = reader.position;
    const code = reader.uleb128();
    if (code === 0) break;
    const tag = reader.uleb128();
    const hasChildren = reader.u8() !== 0;
    const attributes = readAttributes(reader);
    budget.spend(reader.position - start);
    table.set(code, {
      tag,
      hasChildren,
      attributes,
      names: attributes.map(({ name }) => name),
      valuesSize: sizeOfValues(attributes),
    });
  }
  return table;
}

function readAttributes(reader: ByteReader): AttributeSpecification[] {
  const attributes: AttributeSpecification[] = [];
  while (true) {
    const name = reader.uleb128();
    const form = reader.uleb128();
    const implicitValue = form === FORM.implicit_const ? reader.sleb128() : 0;
    if (name === 0 && form === 0) return attributes;
    if (attributes.length >= MAX_ATTRIBUTES) throw new Malformed('an abbreviation has too many attributes');
    attributes.push({ name, form, implicitValue });
  }
}

function sizeOfValues(attributes: readonly AttributeSpecification[]): number | null {
  let size = 0;
  for (const { form } of attributes) {
    const formSize = fixedFormSize(form);
    if (formSize === null) return null;
    size += formSize;
  }
  return size;
}
