/** Debugging information entries (DWARF 5 §2): reading one, its attributes, and walking over many. */
import { Malformed } from '../bytes.js';
import type { Abbreviation } from './abbreviations.js';
import { AT } from './constants.js';
import { type FormValue, readForm, skipForm } from './forms.js';
import type { Unit } from './units.js';

export interface Die {
  readonly unit: Unit;
  /** In `.debug_info`; names the entry. */
  readonly offset: number;
  readonly tag: number;
  readonly abbreviation: Abbreviation;
  /** Where its attribute values begin. */
  readonly valuesAt: number;
}

/** The entry at `offset`; null for the mark that ends a list of siblings. @throws Malformed */
export function dieAt(unit: Unit, offset: number): Die | null {
  const { reader } = unit;
  if (offset < unit.firstEntry) throw new Malformed(`.debug_info: no entry can be at ${offset}`);
  reader.seek(offset);
  const code = reader.uleb128();
  if (code === 0) return null;
  const abbreviation = unit.abbreviations.get(code);
  if (abbreviation === undefined) throw new Malformed(`.debug_info: no abbreviation ${code} for ${offset}`);
  return { unit, offset, tag: abbreviation.tag, abbreviation, valuesAt: reader.position };
}

/** Null when the entry has no such attribute. @throws Malformed */
export function attributeOf(die: Die, name: number): FormValue | null {
  const { reader } = die.unit;
  const { attributes, names } = die.abbreviation;
  // Most entries lack most attributes: settle that before any value is passed over.
  if (!names.includes(name)) return null;
  reader.seek(die.valuesAt);
  for (const attribute of attributes) {
    if (attribute.name === name) {
      return readForm(reader, attribute.form, attribute.implicitValue, die.unit.offset);
    }
    skipForm(reader, attribute.form);
  }
  return null;
}

/** Numbers, and offsets into other sections, which before DWARF 4 were written as numbers. @throws Malformed */
export function constantAttribute(die: Die, name: number): number | null {
  const value = attributeOf(die, name);
  return value?.kind === 'constant' || value?.kind === 'sectionOffset' ? value.value : null;
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
      const at = unit.bases.stringOffsets + value.index * 4;
      const offset = unit.file.section('.debug_str_offsets').slice('.debug_str_offsets', at, 4).u32();
      return stringAt(unit, '.debug_str', offset);
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
 * Entries below `parent` (or from the unit's first on), parents before children, each with its depth below it.
 * `skipChildren` leaves out what is below the entry that came last.
 */
export class DieWalk {
  #next: number;
  #depth = 0;
  #last: Die | null = null;
  #isAtEnd = false;

  constructor(
    private readonly unit: Unit,
    parent: Die,
  ) {
    this.#next = positionAfter(parent);
    this.#isAtEnd = !parent.abbreviation.hasChildren;
  }

  /** Depth of the entry that came last: 0 for the children of the parent. */
  get depth(): number {
    return this.#depth - (this.#last?.abbreviation.hasChildren ? 1 : 0);
  }

  /** Null at the end. @throws Malformed */
  next(): Die | null {
    const { unit } = this;
    while (!this.#isAtEnd && this.#next < unit.end) {
      unit.file.budget.spend(1);
      const die = dieAt(unit, this.#next);
      if (die === null) {
        this.#next = unit.reader.position;
        this.#depth--;
        if (this.#depth < 0) break;
        continue;
      }
      this.#next = positionAfter(die);
      if (die.abbreviation.hasChildren) this.#depth++;
      this.#last = die;
      return die;
    }
    this.#isAtEnd = true;
    return null;
  }

  /** @throws Malformed */
  skipChildren(): void {
    const last = this.#last;
    if (last === null || !last.abbreviation.hasChildren) return;
    const sibling = attributeOf(last, AT.sibling);
    // One that points backwards would lead in circles; the children are then walked over one by one.
    if (sibling?.kind === 'reference' && sibling.offset >= this.#next && sibling.offset <= this.unit.end) {
      this.#next = sibling.offset;
      this.#depth--;
      return;
    }
    const depth = this.#depth;
    while (!this.#isAtEnd && this.#depth >= depth) {
      if (this.#next >= this.unit.end) this.#isAtEnd = true;
      else this.#stepOver();
    }
  }

  #stepOver(): void {
    this.unit.file.budget.spend(1);
    const die = dieAt(this.unit, this.#next);
    if (die === null) {
      this.#next = this.unit.reader.position;
      this.#depth--;
      return;
    }
    this.#next = positionAfter(die);
    if (die.abbreviation.hasChildren) this.#depth++;
  }
}

function positionAfter({ unit, abbreviation, valuesAt }: Die): number {
  if (abbreviation.valuesSize !== null) return valuesAt + abbreviation.valuesSize;
  unit.reader.seek(valuesAt);
  for (const { form } of abbreviation.attributes) skipForm(unit.reader, form);
  return unit.reader.position;
}

/** The children themselves, without what is below them. @throws Malformed */
export function* childrenOf(parent: Die): Generator<Die> {
  const walk = new DieWalk(parent.unit, parent);
  for (let die = walk.next(); die !== null; die = walk.next()) {
    yield die;
    walk.skipChildren();
  }
}
