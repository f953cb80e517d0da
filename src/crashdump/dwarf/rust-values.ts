/**
 * Values of Rust as GDB prints them: `fw::Point {x: 1, y: 2}`, `core::option::Option<u32>::Some(4)`, `&[i32] [1, 2, 3]`.
 * `String` and `Vec` are shown by their contents, where GDB shows the structs that they are made of.
 */
import { AT, TAG } from './constants.js';
import { attributeOf, childrenOf, flagAttribute, referenceAttribute, stringAttribute } from './dies.js';
import type { Die } from './entries.js';
import { escapeBytes, formatValue, unreadable, type ValueSurroundings } from './format-value.js';
import { enclosingNames } from './names.js';
import { littleEndian } from './stack-value.js';
import { elementCount, memberOffset, typeSize, underlyingType } from './type-layout.js';
import { valueType } from './types.js';

const MAX_DEPTH = 8;
/** Of all scalars and texts of a value: a report holds many. */
const MAX_PARTS = 200;
const MAX_CHARACTERS = 200;
const MAX_VALUE_LENGTH = 1024;
const REPEAT_THRESHOLD = 10;
const MAX_ELEMENT_BYTES = 4096;
const MAX_MEMBERS = 64;

/** @param type a struct, union, array or pointer of a unit in Rust. @throws Malformed */
export function formatRustValue(type: Die, bytes: Uint8Array, surroundings: ValueSurroundings): string {
  const value = new RustValues(surroundings).format(type, bytes, 0);
  return value.length > MAX_VALUE_LENGTH ? `${value.slice(0, MAX_VALUE_LENGTH)}...` : value;
}

/** A field of a struct, with its place. */
interface Field {
  name: string;
  type: Die;
  offset: number;
}

class RustValues {
  #parts = 0;

  constructor(private readonly surroundings: ValueSurroundings) {}

  format(named: Die, bytes: Uint8Array, depth: number): string {
    const type = underlyingType(named);
    if (type === null) return '<unknown type>';
    if (depth > MAX_DEPTH || ++this.#parts > MAX_PARTS) return '...';
    switch (type.tag) {
      case TAG.structure_type:
        return this.#structure(type, bytes, depth);
      case TAG.union_type:
        return this.#fields(qualifiedName(type), fieldsOf(type), bytes, depth);
      case TAG.array_type:
        return this.#array(type, bytes, depth);
      case TAG.pointer_type:
        return this.#pointer(type, bytes);
      default: {
        if (type.tag === TAG.base_type && bytes.length === 0) return '()';
        const scalar = valueType(type);
        return scalar === null ? '<unknown type>' : formatValue(scalar, bytes, this.surroundings);
      }
    }
  }

  #structure(type: Die, bytes: Uint8Array, depth: number): string {
    const variants = [...childrenOf(type)].find(({ tag }) => tag === TAG.variant_part);
    if (variants !== undefined) return this.#enumeration(type, variants, bytes, depth);
    const name = stringAttribute(type, AT.name) ?? '';
    const fields = fieldsOf(type);
    if (/^&(?:mut )?str$/.test(name)) return this.#text(slice(fields, bytes), name);
    if (/^&(?:mut )?\[/.test(name)) {
      const parts = slice(fields, bytes);
      return parts === null ? `${name} ...` : `${name} ${this.#elements(parts, depth)}`;
    }
    const path = qualifiedName(type);
    if (path === 'alloc::string::String') return this.#text(vector(type, bytes, 0), name);
    if (path.startsWith('alloc::vec::Vec<')) {
      const parts = vector(type, bytes, 0);
      const element = referenceOfParameter(type);
      if (parts !== null) return this.#elements({ ...parts, element: element ?? parts.element }, depth);
    }
    return this.#fields(name.startsWith('(') ? '' : path, fields, bytes, depth);
  }

  /** `()`, `(1, 2)`, `fw::Unit`, `fw::Pair (1, 2)`, `fw::Point {x: 1, y: 2}`. */
  #fields(name: string, fields: readonly Field[], bytes: Uint8Array, depth: number): string {
    if (name !== '' && fields.length === 0) return name;
    return `${name}${name === '' ? '' : ' '}${this.#fieldList(fields, name === '', bytes, depth)}`;
  }

  #fieldList(fields: readonly Field[], isPlain: boolean, bytes: Uint8Array, depth: number): string {
    const isTuple = isPlain || fields.every(({ name }) => /^(?:__)?\d+$/.test(name));
    const values = fields.map((field) => {
      const value = this.format(field.type, part(field, bytes), depth + 1);
      return isTuple ? value : `${field.name}: ${value}`;
    });
    return isTuple ? `(${values.join(', ')})` : `{${values.join(', ')}}`;
  }

  /** The variant whose discriminant is stored; the one without a value for all others. */
  #enumeration(type: Die, variantPart: Die, bytes: Uint8Array, depth: number): string {
    const variant = storedVariant(variantPart, bytes);
    if (variant === null) return `${qualifiedName(type)} {<unknown variant>}`;
    const [field] = fieldsOf(variant);
    const struct = field === undefined ? null : underlyingType(field.type);
    if (field === undefined || struct === null) return `${qualifiedName(type)} {...}`;
    const fields = fieldsOf(struct);
    const path = qualifiedName(struct);
    return fields.length === 0 ? path : path + this.#fieldList(fields, false, part(field, bytes), depth);
  }

  #array(type: Die, bytes: Uint8Array, depth: number): string {
    const element = referenceAttribute(type, AT.type);
    const dimensions = [...childrenOf(type)].filter(({ tag }) => tag === TAG.subrange_type);
    if (element === null || dimensions.length !== 1) return '[...]';
    return this.#list(element, bytes, elementCount(type), depth);
  }

  #elements({ address, count, element }: Slice, depth: number): string {
    const size = element === null ? 0 : typeSize(element);
    if (element === null) return '[...]';
    if (size === 0 || count === 0)
      return this.#list(element, new Uint8Array(), Math.min(count, MAX_PARTS), depth);
    const readable = Math.min(count, MAX_PARTS, Math.max(1, Math.floor(MAX_ELEMENT_BYTES / size)));
    const bytes = this.surroundings.readMemory(address, readable * size);
    if (bytes === null) return unreadable(address);
    return this.#list(element, bytes, readable, depth, count > readable);
  }

  /** `[1, 2, 0 <repeats 12 times>]`. */
  #list(element: Die, bytes: Uint8Array, count: number, depth: number, isCut = false): string {
    const size = typeSize(element);
    const values: string[] = [];
    let end = isCut ? '...' : '';
    for (let index = 0; index < count; ) {
      if (this.#parts >= MAX_PARTS) {
        end = '...';
        break;
      }
      const value = bytes.subarray(index * size, (index + 1) * size);
      let next = index + 1;
      while (next < count && isSame(value, bytes.subarray(next * size, (next + 1) * size))) next++;
      const text = this.format(element, value, depth + 1);
      if (next - index > REPEAT_THRESHOLD) {
        values.push(`${text} <repeats ${next - index} times>`);
        index = next;
      } else {
        values.push(text);
        index++;
      }
    }
    return `[${values.join(', ')}${end}]`;
  }

  /** Of pointers to arrays of bytes GDB prints the bytes too. */
  #pointer(type: Die, bytes: Uint8Array): string {
    const scalar = { kind: 'pointer', size: bytes.length, to: 'anything' } as const;
    const address = formatValue(scalar, bytes, this.surroundings);
    const target = referenceAttribute(type, AT.type);
    const element = target?.tag === TAG.array_type ? referenceAttribute(target, AT.type) : null;
    if (target === null || element === null || stringAttribute(element, AT.name) !== 'u8') return address;
    const length = Math.min(elementCount(target), MAX_CHARACTERS);
    const content = this.surroundings.readMemory(Number(littleEndian(bytes)), length);
    return content === null ? address : `${address} b"${escapeBytes(content)}"`;
  }

  #text(parts: Slice | null, name: string): string {
    if (parts === null) return `${name} ...`;
    const length = Math.min(parts.count, MAX_CHARACTERS);
    const bytes = length === 0 ? new Uint8Array() : this.surroundings.readMemory(parts.address, length);
    if (bytes === null) return unreadable(parts.address);
    return `"${escapeText(bytes)}"${parts.count > length ? '...' : ''}`;
  }
}

interface Slice {
  address: number;
  count: number;
  element: Die | null;
}

function fieldsOf(struct: Die): Field[] {
  const fields: Field[] = [];
  for (const die of childrenOf(struct)) {
    const type = die.tag === TAG.member ? referenceAttribute(die, AT.type) : null;
    if (type === null || flagAttribute(die, AT.artificial) || fields.length >= MAX_MEMBERS) continue;
    fields.push({ name: stringAttribute(die, AT.name) ?? '', type, offset: memberOffset(die) });
  }
  return fields;
}

function part({ type, offset }: Pick<Field, 'type' | 'offset'>, bytes: Uint8Array): Uint8Array {
  return bytes.subarray(offset, offset + typeSize(type));
}

function storedVariant(variantPart: Die, bytes: Uint8Array): Die | null {
  const variants = [...childrenOf(variantPart)].filter(({ tag }) => tag === TAG.variant);
  const discriminant = referenceAttribute(variantPart, AT.discr);
  const type = discriminant === null ? null : referenceAttribute(discriminant, AT.type);
  if (discriminant === null || type === null) return variants[0] ?? null;
  const stored = part({ type, offset: memberOffset(discriminant) }, bytes);
  const value = littleEndian(stored);
  const bits = stored.length * 8;
  const exact = variants.find((variant) => {
    const wanted = attributeOf(variant, AT.discr_value);
    if (wanted?.kind !== 'constant') return false;
    return BigInt.asUintN(bits, wanted.wide ?? BigInt(wanted.value)) === value;
  });
  return exact ?? variants.find((variant) => attributeOf(variant, AT.discr_value) === null) ?? null;
}

function slice(fields: readonly Field[], bytes: Uint8Array): Slice | null {
  const data = fields.find(({ name }) => name === 'data_ptr');
  const length = fields.find(({ name }) => name === 'length');
  if (data === undefined || length === undefined) return null;
  const address = Number(littleEndian(part(data, bytes)));
  return {
    address,
    count: Number(littleEndian(part(length, bytes))),
    element: referenceAttribute(data.type, AT.type),
  };
}

/** The pointer and the length of a `Vec`, wherever the version of the library has them: the first of each. */
function vector(type: Die, bytes: Uint8Array, depth: number): Slice | null {
  const fields = fieldsOf(type);
  const inner = fields.find(({ name }) => name === 'vec');
  if (inner !== undefined && depth < MAX_DEPTH) return vector(inner.type, part(inner, bytes), depth + 1);
  const length = fields.find(({ name }) => name === 'len');
  const buffer = fields.find(({ name }) => name === 'buf');
  const pointer = buffer === undefined ? null : firstPointer(buffer.type, part(buffer, bytes), depth);
  if (length === undefined || pointer === null) return null;
  return { ...pointer, count: Number(littleEndian(part(length, bytes))) };
}

function firstPointer(named: Die, bytes: Uint8Array, depth: number): Omit<Slice, 'count'> | null {
  const type = underlyingType(named);
  if (type === null || depth > MAX_DEPTH) return null;
  if (type.tag === TAG.pointer_type)
    return { address: Number(littleEndian(bytes)), element: referenceAttribute(type, AT.type) };
  for (const field of fieldsOf(type)) {
    const found = firstPointer(field.type, part(field, bytes), depth + 1);
    if (found !== null) return found;
  }
  return null;
}

/** `T` of `Vec<T>`. */
function referenceOfParameter(type: Die): Die | null {
  for (const die of childrenOf(type)) {
    if (die.tag === TAG.template_type_parameter) return referenceAttribute(die, AT.type);
  }
  return null;
}

function qualifiedName(type: Die): string {
  const name = stringAttribute(type, AT.name) ?? '{unnamed}';
  return [...(enclosingNames(type) ?? []), name].join('::');
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['"', '\\"'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\0', '\\0'],
]);

/** Bytes that are no UTF-8 are shown as such. */
function escapeText(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  if (text.includes('\ufffd')) return escapeBytes(bytes);
  return text.replace(/[\\"\p{Cc}]/gu, (character) => {
    const point = character.codePointAt(0) ?? 0;
    return ESCAPES.get(character) ?? `\\x${point.toString(16).padStart(2, '0')}`;
  });
}
