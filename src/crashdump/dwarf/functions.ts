/** The functions of a unit by address, each with its scopes (see scopes.ts), which are read at their first use. */
import { AT, TAG } from './constants.js';
import { DieWalk, flagAttribute } from './dies.js';
import type { Die, Unit } from './entries.js';
import { createRangeMap, type Range, type RangeMap, Ranges } from './range-map.js';
import { rangesOf } from './ranges.js';
import { type FunctionScopes, readScopes } from './scopes.js';
import type { UnitRoot } from './units.js';

export interface FunctionIndex {
  at(address: number): DebugFunction | null;
}

export interface DebugFunction {
  readonly die: Die;
  readonly unit: Unit;
  readonly root: UnitRoot;
  /** Not empty. The first range contains the entry point. */
  readonly ranges: readonly Range[];
  readonly scopes: FunctionScopes;
}

export function createFunctionIndex(unit: Unit, root: UnitRoot): FunctionIndex {
  let outermost: RangeMap<DebugFunction> | undefined;
  let all: RangeMap<DebugFunction> | undefined;
  return {
    at(address) {
      outermost ??= createRangeMap(collectFunctions(unit, root, OUTERMOST));
      const found = outermost.at(address);
      if (found !== null) return found;
      all ??= createRangeMap(collectFunctions(unit, root, EVERYWHERE));
      return all.at(address);
    },
  };
}

/** Rules of the search for functions. */
interface Depth {
  /** Whether something below an entry of this tag may have code. */
  isOpen: (tag: number) => boolean;
  /** Whether functions inside functions are included. */
  nested: boolean;
}

/** Finds all but a few functions, and skips the entries beside and inside functions, which are most of a unit. */
const OUTERMOST: Depth = { isOpen: (tag) => tag === TAG.namespace, nested: false };

const NEVER_HOLD_FUNCTIONS: ReadonlySet<number> = new Set([
  TAG.array_type,
  TAG.enumeration_type,
  TAG.subroutine_type,
  TAG.inlined_subroutine,
  TAG.call_site,
  TAG.GNU_call_site,
]);
/** Nested functions of GNU C, members of classes that are local to a function. */
const EVERYWHERE: Depth = { isOpen: (tag) => !NEVER_HOLD_FUNCTIONS.has(tag), nested: true };

/** All functions with code. When a unit is malformed, the functions before that point are kept. */
function collectFunctions(unit: Unit, root: UnitRoot, { isOpen, nested }: Depth): Ranges<DebugFunction> {
  const functions = new Ranges<DebugFunction>();
  unit.file.attempt(`The functions of ${root.name ?? `the unit at ${unit.offset}`}`, null, () => {
    const walk = new DieWalk(unit, root.entry);
    for (let die = walk.find(TAG.subprogram, isOpen); die !== null; die = walk.find(TAG.subprogram, isOpen)) {
      const ranges = rangesOf(die);
      const fn = ranges.length === 0 ? null : lazyFunction(die, root, ranges);
      if (fn !== null) for (const { start, end } of ranges) functions.add(start, end, fn);
      if (!nested || (fn === null && flagAttribute(die, AT.declaration))) walk.skipChildren();
    }
    return null;
  });
  return functions;
}

function lazyFunction(die: Die, root: UnitRoot, ranges: readonly Range[]): DebugFunction {
  let scopes: FunctionScopes | undefined;
  return {
    die,
    unit: die.unit,
    root,
    ranges,
    get scopes() {
      scopes ??= readScopes(die, ranges);
      return scopes;
    },
  };
}
