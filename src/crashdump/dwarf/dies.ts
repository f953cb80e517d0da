/** Debugging information entries (DWARF 5 §2): reading one, its attributes, and walking over many. */
import { type ByteReader, Malformed } from '../bytes.js';
import type { Abbreviation } from './abbreviations.js';
import { AT } from './constants.js';
import type { Die, Unit } from './entries.js';
import { type FormValue, readForm, skipForm } from './forms.js';
import { readOffset } from './unit-length.js';

/** The entry at `offset`; null for the mark that ends a list of siblings. @throws Malformed */
export function dieAt(unit: Unit, offset: number): Die | null {
  if (offset < unit.firstEntry) throw new Malformed(`.debug_info: no entry can be at ${offset}`);
  const abbreviation = abbreviationAt(unit, offset);
  if (abbreviation === null) return null;
  return { unit, offset, tag: abbreviation.tag, abbreviation, valuesAt: unit.reader.position };
}

/** Moves the reader to the values, or behind the mark that ends a list of siblings (result null). */
function abbreviationAt({ reader, abbreviations }: Unit, offset: number): Abbreviation | null {
  reader.seek(offset);
  const code = reader.uleb128();
  if (code === 0) return null;
  const abbreviation = abbreviations[code];
  if (abbreviation === undefined) throw new Malformed(`.debug_info: no abbreviation ${code} for ${offset}`);
  return abbreviation;
}

/** Null when the entry has no such attribute. @throws Malformed */
export function attributeOf({ unit, abbreviation, valuesAt }: Die, name: number): FormValue | null {
  return valueAt(unit, abbreviation, valuesAt, name);
}

function valueAt(
  { reader, offset }: Unit,
  { names, attributes }: Abbreviation,
  valuesAt: number,
  name: number,
): FormValue | null {
  // Most entries lack most attributes, so this is checked before any value is skipped.
  const index = names.indexOf(name);
  const attribute = attributes[index];
  if (attribute === undefined) return null;
  if (attribute.offset !== null) reader.seek(valuesAt + attribute.offset);
  else {
    reader.seek(valuesAt);
    for (let before = 0; before < index; before++) skipForm(reader, attributes[before]?.form ?? 0);
  }
  return readForm(reader, attribute.form, attribute.implicitValue, offset);
}

/** Numbers, and offsets into other sections, which before DWARF 4 were written as numbers. @throws Malformed */
export function constantAttribute(die: Die, name: number): number | null {
  const value = attributeOf(die, name);
  return value?.kind === 'constant' || value?.kind === 'sectionOffset' ? value.value : null;
}

/** Size of a type's values in bytes; null also for the negative size of a broken file. @throws Malformed */
export function sizeAttribute(die: Die): number | null {
  const size = constantAttribute(die, AT.byte_size);
  return size !== null && size >= 0 ? size : null;
}

/** @throws Malformed */
export function flagAttribute(die: Die, name: number): boolean {
  const value = attributeOf(die, name);
  return value?.kind === 'flag' && value.value;
}

/** @throws Malformed */
export function addressAttribute(die: Die, name: number): number | null {
  const value = attributeOf(die, name);
  if (value?.kind === 'address') return value.value;
  return value?.kind === 'addressIndex' ? indexedAddress(die.unit, value.index) : null;
}

/** @throws Malformed */
export function indexedAddress({ file, bases }: Unit, index: number): number {
  return file
    .section('.debug_addr')
    .slice('.debug_addr', bases.addresses + index * 4, 4)
    .u32();
}

/** An offset from a table of them, by its position behind `base`. @throws Malformed */
export function indexedOffset({ file, isWide }: Unit, section: string, base: number, index: number): number {
  const size = isWide ? 8 : 4;
  return readOffset(file.section(section).slice(section, base + index * size, size), isWide);
}

/** The entry that an attribute refers to. @throws Malformed */
export function referenceAttribute(die: Die, name: number): Die | null {
  const value = attributeOf(die, name);
  if (value?.kind === 'reference') return die.unit.entries.at(value.offset);
  return value?.kind === 'signature' ? die.unit.entries.withSignature(value.value) : null;
}

/** @throws Malformed */
export function stringAttribute(die: Die, name: number): string | null {
  const value = attributeOf(die, name);
  if (value === null) return null;
  return stringOf(die.unit, value);
}

/** @throws Malformed */
export function stringOf(unit: Unit, value: FormValue): string | null {
  switch (value.kind) {
    case 'string':
      unit.reader.seek(value.offset);
      return unit.reader.cString();
    case 'stringOffset':
      return stringAt(unit, value.section, value.offset);
    case 'stringIndex': {
      return stringAt(
        unit,
        '.debug_str',
        indexedOffset(unit, '.debug_str_offsets', unit.bases.stringOffsets, value.index),
      );
    }
    default:
      return null;
  }
}

function stringAt({ file }: Unit, sectionName: string, offset: number): string {
  const section = file.section(sectionName);
  section.seek(offset);
  return section.cString();
}

/**
 * Entries below `parent` (or from the unit's first on), parents before children, each with its depth. `skipChildren`
 * omits the descendants of the last entry.
 */
export class DieWalk {
  #next: number;
  #depth = 0;
  #isAtEnd = false;
  /** Offset of the last entry, and where its values begin. */
  #abbreviation: Abbreviation | null = null;
  #offset = 0;
  #valuesAt = 0;

  constructor(
    private readonly unit: Unit,
    parent: Die,
  ) {
    const { reader } = unit;
    passOver(reader, parent.abbreviation, parent.valuesAt);
    this.#next = reader.position;
    this.#isAtEnd = !parent.abbreviation.hasChildren;
  }

  /** Depth of the last entry: 0 for the children of the parent. */
  get depth(): number {
    return this.#depth - (this.#abbreviation?.hasChildren ? 1 : 0);
  }

  /** Null at the end. @throws Malformed */
  next(): Die | null {
    const abbreviation = this.#advance();
    if (abbreviation === null) return null;
    const { tag } = abbreviation;
    return { unit: this.unit, offset: this.#offset, tag, abbreviation, valuesAt: this.#valuesAt };
  }

  /** The next entry with this tag; searches below other entries if their tag `isOpen`. @throws Malformed */
  find(tag: number, isOpen: (tag: number) => boolean): Die | null {
    while (true) {
      const abbreviation = this.#advance();
      if (abbreviation === null) return null;
      if (abbreviation.tag === tag) {
        return { unit: this.unit, offset: this.#offset, tag, abbreviation, valuesAt: this.#valuesAt };
      }
      if (abbreviation.hasChildren && !isOpen(abbreviation.tag)) this.skipChildren();
    }
  }

  /** @throws Malformed */
  skipChildren(): void {
    const { unit } = this;
    const last = this.#abbreviation;
    if (last === null || !last.hasChildren) return;
    const sibling = valueAt(unit, last, this.#valuesAt, AT.sibling);
    // A reference backwards would be a cycle; then the children are visited one by one.
    if (sibling?.kind === 'reference' && sibling.offset >= this.#next && sibling.offset <= unit.end) {
      this.#next = sibling.offset;
      this.#depth--;
      return;
    }
    const depth = this.#depth;
    while (!this.#isAtEnd && this.#depth >= depth) {
      if (this.#next >= unit.end) this.#isAtEnd = true;
      else this.#step();
    }
  }

  /** Moves to the next entry; null at the end. */
  #advance(): Abbreviation | null {
    while (!this.#isAtEnd && this.#next < this.unit.end) {
      const offset = this.#next;
      const abbreviation = this.#step();
      if (abbreviation !== null) {
        this.#abbreviation = abbreviation;
        this.#offset = offset;
        return abbreviation;
      }
      if (this.#depth < 0) break;
    }
    this.#isAtEnd = true;
    return null;
  }

  /** Skips one entry, or (result null) the mark that ends a list of siblings. */
  #step(): Abbreviation | null {
    const { unit } = this;
    const { reader } = unit;
    unit.file.budget.spend(1);
    const offset = this.#next;
    const abbreviation = abbreviationAt(unit, offset);
    if (abbreviation === null) {
      this.#next = reader.position;
      this.#depth--;
      return null;
    }
    this.#valuesAt = reader.position;
    passOver(reader, abbreviation, reader.position);
    this.#next = reader.position;
    if (abbreviation.hasChildren) this.#depth++;
    return abbreviation;
  }
}

/** Moves the reader behind the values that begin at `valuesAt`. */
function passOver(reader: ByteReader, { valuesSize, steps }: Abbreviation, valuesAt: number): void {
  if (valuesSize !== null) {
    reader.seek(valuesAt + valuesSize);
    return;
  }
  reader.seek(valuesAt);
  for (const step of steps) {
    if (step >= 0) reader.skip(step);
    else skipForm(reader, -1 - step);
  }
}

/** The children, without their descendants. @throws Malformed */
export function* childrenOf(parent: Die): Generator<Die> {
  const walk = new DieWalk(parent.unit, parent);
  for (let die = walk.next(); die !== null; die = walk.next()) {
    yield die;
    walk.skipChildren();
  }
}
