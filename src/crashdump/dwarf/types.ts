/** Types, as far as printing their values needs them: typedefs and qualifiers are resolved. */
import { AT, TAG } from './constants.js';
import {
  attributeOf,
  childrenOf,
  constantAttribute,
  referenceAttribute,
  sizeAttribute,
  stringAttribute,
} from './dies.js';
import type { Die } from './entries.js';
import { enclosingNames, isCPlusPlusUnit, isRustUnit } from './names.js';
import { TRANSPARENT, typeSize, underlyingType } from './type-layout.js';

export type ValueType =
  /** A single byte is a character too, except in Rust. */
  | { kind: 'integer'; size: number; isSigned: boolean; isNumber: boolean }
  /** Characters wider than a byte, by the prefix of their literals. */
  | { kind: 'character'; size: number; prefix: 'u' | 'U' | 'L' }
  | { kind: 'rustCharacter'; size: number }
  | { kind: 'boolean'; size: number }
  | { kind: 'float' | 'complex'; size: number }
  | { kind: 'enumeration'; size: number; isSigned: boolean; enumerators: readonly Enumerator[] }
  | { kind: 'pointer'; size: number; to: 'text' | 'anything' }
  | { kind: 'reference'; size: number; to: ValueType }
  /** To a data member: its offset in bytes. To a method (8 bytes): its address, and the adjustment of `this`. */
  | { kind: 'memberPointer'; size: number }
  /** decltype(nullptr), which GDB treats as an unknown type. */
  | { kind: 'incomplete'; size: number }
  /** Structs, unions, classes and arrays, which a frame line does not show. */
  | { kind: 'aggregate'; size: number }
  /** Rust's structs, enums with fields, arrays and pointers to arrays, which are shown: rust-values.ts. */
  | { kind: 'rust'; size: number; type: Die };

export interface Enumerator {
  readonly name: string;
  readonly value: bigint;
}

const ENCODING = {
  boolean: 0x02,
  complex_float: 0x03,
  float: 0x04,
  signed: 0x05,
  signed_char: 0x06,
  UTF: 0x10,
} as const;

const POINTER_SIZE = 4;
const MAX_TYPEDEFS = 64;
const MAX_ENUMERATORS = 10_000;

/** Null for types that cannot be read. @throws Malformed */
export function typeOf(die: Die): ValueType | null {
  const type = referenceAttribute(die, AT.type);
  return type === null ? null : describe(type, 0);
}

/** The same for the type itself. @throws Malformed */
export function valueType(type: Die): ValueType | null {
  return describe(type, 0);
}

function describe(named: Die, depth: number): ValueType | null {
  const type = underlyingType(named);
  if (type === null || depth > MAX_TYPEDEFS) return null;
  const size = sizeAttribute(type);
  switch (type.tag) {
    case TAG.base_type:
      return baseType(named, type, size ?? POINTER_SIZE);
    case TAG.enumeration_type:
      return enumeration(type, size ?? POINTER_SIZE);
    case TAG.pointer_type:
      return pointer(type, size ?? POINTER_SIZE);
    case TAG.reference_type:
    case TAG.rvalue_reference_type: {
      const target = referenceAttribute(type, AT.type);
      const to = target === null ? null : describe(target, depth + 1);
      return to === null ? null : { kind: 'reference', size: POINTER_SIZE, to };
    }
    case TAG.unspecified_type: // decltype(nullptr)
      return { kind: 'incomplete', size: POINTER_SIZE };
    case TAG.ptr_to_member_type:
      return { kind: 'memberPointer', size: size ?? POINTER_SIZE };
    case TAG.structure_type:
    case TAG.class_type:
    case TAG.union_type:
    case TAG.array_type:
      return isRustUnit(type.unit)
        ? { kind: 'rust', size: typeSize(type), type }
        : { kind: 'aggregate', size: size ?? 0 };
    default:
      return null;
  }
}

function pointer(type: Die, size: number): ValueType {
  if (!isRustUnit(type.unit)) return { kind: 'pointer', size, to: pointsToText(type) ? 'text' : 'anything' };
  const target = referenceAttribute(type, AT.type);
  return target?.tag === TAG.array_type
    ? { kind: 'rust', size, type }
    : { kind: 'pointer', size, to: 'anything' };
}

function baseType(named: Die, type: Die, size: number): ValueType {
  const encoding = constantAttribute(type, AT.encoding);
  if (encoding === ENCODING.boolean) return { kind: 'boolean', size };
  if (encoding === ENCODING.complex_float) return { kind: 'complex', size };
  if (encoding === ENCODING.float) return { kind: 'float', size };
  const isRust = isRustUnit(type.unit);
  // `()`
  if (isRust && size === 0) return { kind: 'rust', size, type };
  if (encoding === ENCODING.UTF && isRust) return { kind: 'rustCharacter', size };
  if (encoding === ENCODING.UTF && size > 1)
    return { kind: 'character', size, prefix: size === 2 ? 'u' : 'U' };
  if (isWideCharacter(named)) return { kind: 'character', size, prefix: 'L' };
  return {
    kind: 'integer',
    size,
    isSigned: encoding === ENCODING.signed || encoding === ENCODING.signed_char,
    isNumber: isRust || size > 1,
  };
}

/** GDB decides by the name of the type, or of a typedef of it. */
function isWideCharacter(named: Die): boolean {
  let current: Die | null = named;
  for (let count = 0; current !== null && count < MAX_TYPEDEFS; count++) {
    if (stringAttribute(current, AT.name) === 'wchar_t') return true;
    current = TRANSPARENT.has(current.tag) ? referenceAttribute(current, AT.type) : null;
  }
  return false;
}

/** Single bytes count as text, signed or not, as in GDB. */
function pointsToText(pointer: Die): boolean {
  const target = referenceAttribute(pointer, AT.type);
  const type = target === null ? null : underlyingType(target);
  if (type?.tag !== TAG.base_type || sizeAttribute(type) !== 1) return false;
  return constantAttribute(type, AT.encoding) !== ENCODING.boolean;
}

function enumeration(type: Die, size: number): ValueType {
  const scope = stringAttribute(type, AT.name);
  const enumerators: Enumerator[] = [];
  const isScoped = attributeOf(type, AT.enum_class) !== null;
  const isQualified = isCPlusPlusUnit(type.unit) || isRustUnit(type.unit);
  const qualifiers = isQualified ? (enclosingNames(type) ?? []) : [];
  for (const child of childrenOf(type)) {
    if (child.tag !== TAG.enumerator || enumerators.length >= MAX_ENUMERATORS) continue;
    const name = stringAttribute(child, AT.name);
    const value = attributeOf(child, AT.const_value);
    if (name === null || value?.kind !== 'constant') continue;
    const path = isScoped && scope !== null ? [...qualifiers, scope, name] : [...qualifiers, name];
    enumerators.push({ name: path.join('::'), value: value.wide ?? BigInt(value.value) });
  }
  return { kind: 'enumeration', size, isSigned: enumerators.some(({ value }) => value < 0n), enumerators };
}
