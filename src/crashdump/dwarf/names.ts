/** Names of functions as in GDB: as written in C; qualified and without parameters in C++. */
import { demangle, demangleFunctionName } from '../demangle/demangle.js';
import { canonicalName } from './canonical-name.js';
import { AT, C_PLUS_PLUS_LANGUAGES, TAG } from './constants.js';
import { constantAttribute, DieWalk, referenceAttribute, stringAttribute } from './dies.js';
import type { Die, Unit } from './entries.js';
import type { UnitRoot } from './units.js';

/** Entries refer to at most two others: the concrete to the abstract one, that to its declaration. */
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

function isCPlusPlus({ language }: Pick<UnitRoot, 'language'>): boolean {
  return language !== null && C_PLUS_PLUS_LANGUAGES.has(language);
}

/** @throws Malformed */
export function isCPlusPlusUnit(unit: Unit): boolean {
  const root = unit.entries.at(unit.firstEntry);
  return root !== null && isCPlusPlus({ language: constantAttribute(root, AT.language) });
}

function nameWithoutLinkage(die: Die, root: UnitRoot): string | null {
  const name = isCPlusPlus(root) ? qualifiedName(die) : plainName(die);
  return name !== null && isCPlusPlus(root) ? canonicalName(name) : name;
}

/** The name as written in the source. @throws Malformed */
export function plainName(die: Die): string | null {
  for (const origin of originsOf(die)) {
    const name = stringAttribute(origin, AT.name);
    if (name !== null) return name;
  }
  return null;
}

/** The entry itself, then the entries of which it is an instance or a definition. @throws Malformed */
export function* originsOf(die: Die): Generator<Die> {
  let entry: Die | null = die;
  for (let count = 0; entry !== null && count < MAX_REFERENCES; count++) {
    yield entry;
    entry = referenceAttribute(entry, AT.abstract_origin) ?? referenceAttribute(entry, AT.specification);
  }
}

/** For C++ functions without a linkage name, such as `extern "C"` functions in a namespace. */
function qualifiedName(die: Die): string | null {
  const declaration = [...originsOf(die)].at(-1);
  const name = plainName(die);
  if (declaration === undefined || name === null) return name;
  const scopes = enclosingNames(declaration);
  return scopes === null ? name : [...scopes, name].join('::');
}

/**
 * Namespaces and classes around an entry, outermost first; null inside a class without a name (a lambda's), whose
 * members GDB names without qualification. @throws Malformed
 */
export function enclosingNames(die: Die): string[] | null {
  const root = die.unit.entries.at(die.unit.firstEntry);
  if (root === null) return [];
  const scopes: { name: string | null; depth: number }[] = [];
  const walk = new DieWalk(die.unit, root);
  for (let entry = walk.next(); entry !== null && entry.offset <= die.offset; entry = walk.next()) {
    const { depth } = walk;
    while ((scopes.at(-1)?.depth ?? -1) >= depth) scopes.pop();
    if (entry.offset === die.offset) {
      const names = scopes.flatMap(({ name }) => name ?? []);
      return names.length < scopes.length ? null : names;
    }
    if (entry.tag === TAG.namespace) {
      scopes.push({ name: stringAttribute(entry, AT.name) ?? '(anonymous namespace)', depth });
    } else if (CLASSES.has(entry.tag)) scopes.push({ name: stringAttribute(entry, AT.name), depth });
    else if (entry.tag !== TAG.subprogram && entry.tag !== TAG.lexical_block) walk.skipChildren();
  }
  return [];
}

const CLASSES: ReadonlySet<number> = new Set([TAG.structure_type, TAG.class_type, TAG.union_type]);
