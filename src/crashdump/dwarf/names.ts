/** Names of functions as in GDB: as written in C; qualified and without parameters in C++ and Rust. */

import { Malformed } from '../bytes.js';
import { demangle, demangleFunctionName, readableName } from '../demangle/demangle.js';
import { lastAtOrBefore } from '../order.js';
import { canonicalName } from './canonical-name.js';
import { AT, C_PLUS_PLUS_LANGUAGES, RUST_LANGUAGES, TAG } from './constants.js';
import { constantAttribute, DieWalk, referenceAttribute, stringAttribute } from './dies.js';
import type { Die, Unit } from './entries.js';
import type { UnitRoot } from './units.js';

/** Entries refer to at most two others: the concrete to the abstract one, that to its declaration. */
const MAX_REFERENCES = 8;

/** As GDB names a frame: without parameters. Null for entries without a name. @throws Malformed */
export function functionName(die: Die, root: UnitRoot): string | null {
  const linkageName = linkageNameOf(die, root);
  const demangled = linkageName === null || isRust(root) ? null : demangleFunctionName(linkageName);
  return demangled ?? nameInSource(die, root, linkageName);
}

/** As GDB names an address: `<ns::Class::method(int)+4>`. @throws Malformed */
export function fullName(die: Die, root: UnitRoot): string | null {
  const linkageName = linkageNameOf(die, root);
  const demangled = linkageName === null ? null : demangle(linkageName);
  return demangled ?? nameInSource(die, root, linkageName);
}

function linkageNameOf(die: Die, root: UnitRoot): string | null {
  if (!isCPlusPlus(root) && !isRust(root)) return null;
  for (const origin of originsOf(die)) {
    const name = stringAttribute(origin, AT.linkage_name) ?? stringAttribute(origin, AT.MIPS_linkage_name);
    if (name !== null) return name;
  }
  return null;
}

function isCPlusPlus({ language }: Pick<UnitRoot, 'language'>): boolean {
  return language !== null && C_PLUS_PLUS_LANGUAGES.has(language);
}

function isRust({ language }: Pick<UnitRoot, 'language'>): boolean {
  return language !== null && RUST_LANGUAGES.has(language);
}

/** @throws Malformed */
export function isCPlusPlusUnit(unit: Unit): boolean {
  return isCPlusPlus({ language: languageOf(unit) });
}

/** @throws Malformed */
export function isRustUnit(unit: Unit): boolean {
  return isRust({ language: languageOf(unit) });
}

function languageOf(unit: Unit): number | null {
  const root = unit.entries.at(unit.firstEntry);
  return root === null ? null : constantAttribute(root, AT.language);
}

/** Of C++ functions whose linkage name is missing or cannot be read; Rust's has the paths of its modules here. */
function nameInSource(die: Die, root: UnitRoot, linkageName: string | null): string | null {
  const isQualified = isCPlusPlus(root) || isRust(root);
  const name = (isQualified ? qualifiedName(die) : plainName(die)) ?? linkageName;
  if (name === null) return null;
  // Debug information of line tables alone may have the linker's names.
  if (/^_[ZR]/.test(name)) return readableName(name);
  return isCPlusPlus(root) ? canonicalName(name) : name;
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

/** With namespaces, or in Rust modules: also `extern "C"` functions, which have no linkage name. */
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
  const scopes = scopesOf(die.unit);
  if (die.offset > scopes.readTo && scopes.damage !== null) throw scopes.damage;
  const nearest = lastAtOrBefore(scopes.offsets, die.offset - 1);
  const names: string[] = [];
  for (let scope = scopes.list[nearest]; scope !== undefined; scope = scope.outer ?? undefined) {
    if (die.offset >= scope.end) continue;
    if (scope.name === null) return null;
    names.unshift(scope.name);
  }
  return names;
}

interface NamedScope {
  name: string | null;
  /** The offset of the first entry behind it. */
  end: number;
  depth: number;
  outer: NamedScope | null;
}

/** The namespaces and classes of a unit in the order of their offsets. */
interface UnitScopes {
  offsets: number[];
  list: NamedScope[];
  /** The last entry that could be read, and why it is the last. */
  readTo: number;
  damage: Malformed | null;
}

const scopesOfUnits = new WeakMap<Unit, UnitScopes>();

function scopesOf(unit: Unit): UnitScopes {
  const known = scopesOfUnits.get(unit);
  if (known !== undefined) return known;
  const scopes: UnitScopes = { offsets: [], list: [], readTo: 0, damage: null };
  try {
    const root = unit.entries.at(unit.firstEntry);
    if (root !== null) collectScopes(unit, root, scopes);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    scopes.damage = error;
  }
  scopesOfUnits.set(unit, scopes);
  return scopes;
}

function collectScopes(unit: Unit, root: Die, scopes: UnitScopes): void {
  const walk = new DieWalk(unit, root);
  let outer: NamedScope | null = null;
  for (let entry = walk.next(); entry !== null; entry = walk.next()) {
    const { depth } = walk;
    scopes.readTo = entry.offset;
    for (; outer !== null && outer.depth >= depth; outer = outer.outer) outer.end = entry.offset;
    const isNamespace = entry.tag === TAG.namespace;
    if (isNamespace || CLASSES.has(entry.tag)) {
      const name = stringAttribute(entry, AT.name) ?? (isNamespace ? '(anonymous namespace)' : null);
      outer = { name, end: Number.POSITIVE_INFINITY, depth, outer };
      scopes.offsets.push(entry.offset);
      scopes.list.push(outer);
    } else if (entry.tag !== TAG.subprogram && entry.tag !== TAG.lexical_block) walk.skipChildren();
  }
}

const CLASSES: ReadonlySet<number> = new Set([TAG.structure_type, TAG.class_type, TAG.union_type]);
