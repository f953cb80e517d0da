/** Where the parts of a type are: sizes and offsets, behind typedefs and qualifiers. */
import { AT, TAG } from './constants.js';
import { attributeOf, childrenOf, constantAttribute, referenceAttribute, sizeAttribute } from './dies.js';
import type { Die } from './entries.js';

/** Kinds of entries that only rename or qualify another type. */
export const TRANSPARENT: ReadonlySet<number> = new Set([
  TAG.typedef,
  TAG.const_type,
  TAG.volatile_type,
  TAG.restrict_type,
  TAG.atomic_type,
]);
const POINTER_SIZE = 4;
const MAX_TYPEDEFS = 64;
const MAX_DEPTH = 16;

/** The struct, array or base type behind typedefs and qualifiers. @throws Malformed */
export function underlyingType(type: Die): Die | null {
  let current: Die | null = type;
  for (let count = 0; current !== null && count < MAX_TYPEDEFS; count++) {
    if (!TRANSPARENT.has(current.tag)) return current;
    current = referenceAttribute(current, AT.type);
  }
  return null;
}

/** A number, or (DWARF 2) an expression that adds one to the struct's address; absent in unions. */
export function memberOffset(member: Die): number {
  const value = attributeOf(member, AT.data_member_location);
  if (value?.kind === 'constant') return value.value;
  // DW_OP_plus_uconst
  if (value?.kind === 'block' && value.bytes[0] === 0x23) return smallUleb128(value.bytes.subarray(1));
  const bits = constantAttribute(member, AT.data_bit_offset);
  return bits === null ? 0 : Math.floor(bits / 8);
}

function smallUleb128(bytes: Uint8Array): number {
  let value = 0;
  for (const [index, byte] of bytes.subarray(0, 4).entries()) value |= (byte & 0x7f) << (index * 7);
  return value;
}

/** In bytes; 0 where it is unknown. @throws Malformed */
export function typeSize(type: Die, depth = 0): number {
  const resolved = underlyingType(type);
  if (resolved === null || depth > MAX_DEPTH) return 0;
  const size = sizeAttribute(resolved);
  if (size !== null) return size;
  if (resolved.tag === TAG.pointer_type) return POINTER_SIZE;
  if (resolved.tag !== TAG.array_type) return 0;
  const element = referenceAttribute(resolved, AT.type);
  return element === null ? 0 : typeSize(element, depth + 1) * elementCount(resolved);
}

export function elementCount(array: Die): number {
  let count = 1;
  for (const range of childrenOf(array)) {
    if (range.tag !== TAG.subrange_type) continue;
    const upper = constantAttribute(range, AT.upper_bound);
    count *= constantAttribute(range, AT.count) ?? (upper === null ? 0 : upper + 1);
  }
  return count;
}
