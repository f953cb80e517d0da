/** The functions of a unit by address, each with its scopes (see scopes.ts) once it has been asked for. */
import { AT, C_LANGUAGES, TAG } from './constants.js';
import { type Die, DieWalk, flagAttribute } from './dies.js';
import { createRangeMap, type Range, type RangeMap, Ranges } from './range-map.js';
import { rangesOf } from './ranges.js';
import { type FunctionScopes, readScopes } from './scopes.js';
import type { Unit, UnitRoot } from './units.js';

export interface FunctionIndex {
  at(address: number): DebugFunction | null;
}

export interface DebugFunction {
  readonly die: Die;
  readonly unit: Unit;
  readonly root: UnitRoot;
  /** Not empty. The first holds the entry point. */
  readonly ranges: readonly Range[];
  readonly scopes: FunctionScopes;
}

export function createFunctionIndex(unit: Unit, root: UnitRoot): FunctionIndex {
  let index: RangeMap<DebugFunction> | undefined;
  return {
    at(address) {
      index ??= createRangeMap(collectFunctions(unit, root));
      return index.at(address);
    },
  };
}

/** All that have code. A unit that breaks off keeps what came before. */
function collectFunctions(unit: Unit, root: UnitRoot): Ranges<DebugFunction> {
  const functions = new Ranges<DebugFunction>();
  const closed = root.language !== null && C_LANGUAGES.has(root.language) ? CLOSED_IN_C : CLOSED;
  unit.file.attempt(`The functions of ${root.name ?? `the unit at ${unit.offset}`}`, null, () => {
    const walk = new DieWalk(unit, root.entry);
    for (let die = walk.find(TAG.subprogram, closed); die !== null; die = walk.find(TAG.subprogram, closed)) {
      const ranges = rangesOf(die);
      const fn = ranges.length === 0 ? null : lazyFunction(die, root, ranges);
      if (fn !== null) for (const { start, end } of ranges) functions.add(start, end, fn);
      else if (flagAttribute(die, AT.declaration)) walk.skipChildren();
    }
    return null;
  });
  return functions;
}

/** Nothing below these has code. */
const CLOSED: ReadonlySet<number> = new Set([
  TAG.array_type,
  TAG.enumeration_type,
  TAG.subroutine_type,
  TAG.inlined_subroutine,
  TAG.call_site,
  TAG.GNU_call_site,
]);
const CLOSED_IN_C: ReadonlySet<number> = new Set([...CLOSED, TAG.structure_type, TAG.union_type]);

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
