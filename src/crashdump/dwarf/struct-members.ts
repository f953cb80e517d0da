/** Offsets of members in structs, by their names. */
import { AT, TAG } from './constants.js';
import type { DebugInformation, OpenUnit } from './debug-information.js';
import {
  attributeOf,
  childrenOf,
  constantAttribute,
  flagAttribute,
  referenceAttribute,
  sizeAttribute,
  stringAttribute,
} from './dies.js';
import type { Die } from './entries.js';
import { underlyingType } from './types.js';

export interface Member {
  offset: number;
  /** Bytes. */
  size: number;
}

/** `near` is an address of code that uses the struct: its unit is searched before all others. */
export type StructMembers = (struct: string, path: string, near: () => number | null) => Member | null;

const STRUCTS: ReadonlySet<number> = new Set([TAG.structure_type, TAG.class_type, TAG.union_type]);
const POINTER_SIZE = 4;
const MAX_DEPTH = 16;

/** @returns looks up `('tskTaskControlBlock', 'xStateListItem.pvOwner', …)` */
export function createStructMembers(information: DebugInformation): StructMembers {
  const structs = new Map<string, Die | null>();
  const answers = new Map<string, Member | null>();
  return (struct, path, near) => {
    const key = `${struct} ${path}`;
    let answer = answers.get(key);
    if (answer === undefined) {
      answer = information.file.attempt(`The struct ${struct}`, null, () => {
        let die = structs.get(struct);
        if (die === undefined) {
          die = findStruct(information, struct, near());
          structs.set(struct, die);
        }
        return die === null ? null : memberAt(die, path.split('.'));
      });
      answers.set(key, answer);
    }
    return answer;
  };
}

/** The first definition, under its own name or that of a typedef, that is outside functions and namespaces. */
function findStruct(information: DebugInformation, name: string, near: number | null): Die | null {
  const { unitHeaders, open, unitAt, file } = information;
  const lookThrough = (unit: OpenUnit | null) =>
    unit === null
      ? null
      : file.attempt(`The types of the unit at ${unit.unit.offset}`, null, () =>
          structIn(unit.root.entry, name),
        );
  const nearby = near === null ? null : lookThrough(unitAt(near));
  if (nearby !== null) return nearby;
  for (const header of unitHeaders) {
    const found = lookThrough(open(header));
    if (found !== null) return found;
  }
  return null;
}

function structIn(root: Die, name: string): Die | null {
  for (const die of childrenOf(root)) {
    if (!STRUCTS.has(die.tag) && die.tag !== TAG.typedef) continue;
    if (stringAttribute(die, AT.name) !== name || flagAttribute(die, AT.declaration)) continue;
    const struct = underlyingType(die);
    if (struct !== null && STRUCTS.has(struct.tag)) return struct;
  }
  return null;
}

function memberAt(struct: Die, path: readonly string[]): Member | null {
  let current: Die | null = struct;
  let offset = 0;
  let size = 0;
  for (const name of path) {
    const found: { die: Die; offset: number } | null =
      current === null ? null : memberNamed(current, name, 0);
    if (found === null) return null;
    const type = referenceAttribute(found.die, AT.type);
    offset += found.offset;
    size = type === null ? 0 : sizeOf(type, 0);
    current = type === null ? null : underlyingType(type);
  }
  return { offset, size };
}

/** Members of anonymous structs and unions, and of base classes, are members of the outer one. */
function memberNamed(struct: Die, name: string, depth: number): { die: Die; offset: number } | null {
  if (!STRUCTS.has(struct.tag) || depth > MAX_DEPTH) return null;
  for (const die of childrenOf(struct)) {
    if (die.tag !== TAG.member && die.tag !== TAG.inheritance) continue;
    const memberName = stringAttribute(die, AT.name);
    if (memberName === name) return { die, offset: offsetOf(die) };
    if (memberName !== null) continue;
    const type = referenceAttribute(die, AT.type);
    const inner = type === null ? null : underlyingType(type);
    const found = inner === null ? null : memberNamed(inner, name, depth + 1);
    if (found !== null) return { die: found.die, offset: offsetOf(die) + found.offset };
  }
  return null;
}

/** A number, or (DWARF 2) an expression that adds one to the struct's address; absent in unions. */
function offsetOf(member: Die): number {
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

function sizeOf(type: Die, depth: number): number {
  const resolved = underlyingType(type);
  if (resolved === null || depth > MAX_DEPTH) return 0;
  const size = sizeAttribute(resolved);
  if (size !== null) return size;
  if (resolved.tag === TAG.pointer_type) return POINTER_SIZE;
  if (resolved.tag !== TAG.array_type) return 0;
  const element = referenceAttribute(resolved, AT.type);
  return element === null ? 0 : sizeOf(element, depth + 1) * elementCount(resolved);
}

function elementCount(array: Die): number {
  let count = 1;
  for (const range of childrenOf(array)) {
    if (range.tag !== TAG.subrange_type) continue;
    const upper = constantAttribute(range, AT.upper_bound);
    count *= constantAttribute(range, AT.count) ?? (upper === null ? 0 : upper + 1);
  }
  return count;
}
