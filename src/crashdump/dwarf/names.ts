/** What functions are called: as they are written in C, qualified and without parameters in C++, as GDB does. */
import { demangle, demangleFunctionName } from '../elf/demangle.js';
import { AT, C_PLUS_PLUS_LANGUAGES, TAG } from './constants.js';
import { type Die, DieWalk, referenceAttribute, stringAttribute } from './dies.js';
import type { UnitRoot } from './units.js';

/** Entries refer on to at most two others: the concrete to the abstract one, that to its declaration. */
const MAX_REFERENCES = 8;

/** As GDB names a frame: without parameters. Null for entries without a name. @throws Malformed */
export function functionName(die: Die, root: UnitRoot): string | null {
  const linkageName = linkageNameOf(die, root);
  return linkageName === null
    ? nameWithoutLinkage(die, root)
    : (demangleFunctionName(linkageName) ?? linkageName);
}

/** As GDB names an address: `<ns::Class::method(int)+4>`. @throws Malformed */
export function fullName(die: Die, root: UnitRoot): string | null {
  const linkageName = linkageNameOf(die, root);
  return linkageName === null ? nameWithoutLinkage(die, root) : (demangle(linkageName) ?? linkageName);
}

function linkageNameOf(die: Die, root: UnitRoot): string | null {
  if (!isCPlusPlus(root)) return null;
  for (const origin of originsOf(die)) {
    const name = stringAttribute(origin, AT.linkage_name) ?? stringAttribute(origin, AT.MIPS_linkage_name);
    if (name !== null) return name;
  }
  return null;
}

function isCPlusPlus({ language }: UnitRoot): boolean {
  return language !== null && C_PLUS_PLUS_LANGUAGES.has(language);
}

function nameWithoutLinkage(die: Die, root: UnitRoot): string | null {
  return isCPlusPlus(root) ? qualifiedName(die) : plainName(die);
}

/** The name as it is written. @throws Malformed */
export function plainName(die: Die): string | null {
  for (const origin of originsOf(die)) {
    const name = stringAttribute(origin, AT.name);
    if (name !== null) return name;
  }
  return null;
}

/** The entry itself, then what it is an instance or a definition of. @throws Malformed */
export function* originsOf(die: Die): Generator<Die> {
  let entry: Die | null = die;
  for (let count = 0; entry !== null && count < MAX_REFERENCES; count++) {
    yield entry;
    entry = referenceAttribute(entry, AT.abstract_origin) ?? referenceAttribute(entry, AT.specification);
  }
}

/** For C++ functions without a linkage name, such as `extern "C"` ones in a namespace. */
function qualifiedName(die: Die): string | null {
  const declaration = [...originsOf(die)].at(-1);
  const name = plainName(die);
  if (declaration === undefined || name === null) return name;
  return [...enclosingNames(declaration), name].join('::');
}

/** Namespaces and classes around an entry, outermost first. */
function enclosingNames(die: Die): string[] {
  const root = die.unit.entries.at(die.unit.firstEntry);
  if (root === null) return [];
  const scopes: { name: string; depth: number }[] = [];
  const walk = new DieWalk(die.unit, root);
  for (let entry = walk.next(); entry !== null && entry.offset <= die.offset; entry = walk.next()) {
    const { depth } = walk;
    while ((scopes.at(-1)?.depth ?? -1) >= depth) scopes.pop();
    if (entry.offset === die.offset) return scopes.map(({ name }) => name);
    const anonymous = ANONYMOUS.get(entry.tag);
    if (anonymous !== undefined) scopes.push({ name: stringAttribute(entry, AT.name) ?? anonymous, depth });
    else if (entry.tag !== TAG.subprogram && entry.tag !== TAG.lexical_block) walk.skipChildren();
  }
  return [];
}

/** What qualifies a name, and what stands for it where it has none. */
const ANONYMOUS: ReadonlyMap<number, string> = new Map([
  [TAG.namespace, '(anonymous namespace)'],
  [TAG.structure_type, '{unnamed struct}'],
  [TAG.class_type, '{unnamed class}'],
  [TAG.union_type, '{unnamed union}'],
]);
