/** Offsets of members in structs, by their names. */
import { AT, TAG } from './constants.js';
import type { DebugInformation, OpenUnit } from './debug-information.js';
import { childrenOf, flagAttribute, referenceAttribute, stringAttribute } from './dies.js';
import type { Die } from './entries.js';
import { memberOffset, typeSize, underlyingType } from './type-layout.js';

export interface Member {
  offset: number;
  /** Bytes. */
  size: number;
}

/** `near` is an address of code that uses the struct: its unit is searched before all others. */
export type StructMembers = (struct: string, path: string, near: () => number | null) => Member | null;

const STRUCTS: ReadonlySet<number> = new Set([TAG.structure_type, TAG.class_type, TAG.union_type]);
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
    size = type === null ? 0 : typeSize(type, 0);
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
    if (memberName === name) return { die, offset: memberOffset(die) };
    if (memberName !== null) continue;
    const type = referenceAttribute(die, AT.type);
    const inner = type === null ? null : underlyingType(type);
    const found = inner === null ? null : memberNamed(inner, name, depth + 1);
    if (found !== null) return { die: found.die, offset: memberOffset(die) + found.offset };
  }
  return null;
}
