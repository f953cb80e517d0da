/** The functions of a unit by address, each with its scopes (see scopes.ts) once it has been asked for. */
import { AT, TAG } from './constants.js';
import { type Die, DieWalk, flagAttribute } from './dies.js';
import { createRangeMap, type Range, type RangeMap } from './range-map.js';
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
      index ??= createRangeMap(
        collectFunctions(unit, root).flatMap((value) => value.ranges.map((range) => ({ ...range, value }))),
      );
      return index.at(address);
    },
  };
}

/** All that have code. A unit that breaks off keeps what came before. */
function collectFunctions(unit: Unit, root: UnitRoot): DebugFunction[] {
  const functions: DebugFunction[] = [];
  unit.file.attempt(`The functions of ${root.name ?? `the unit at ${unit.offset}`}`, null, () => {
    const walk = new DieWalk(unit, root.entry);
    for (let die = walk.next(); die !== null; die = walk.next()) {
      if (die.tag === TAG.subprogram) {
        const ranges = rangesOf(die);
        if (ranges.length > 0) functions.push(lazyFunction(die, root, ranges));
        else if (flagAttribute(die, AT.declaration)) walk.skipChildren();
      } else if (NEVER_HOLD_FUNCTIONS.has(die.tag)) walk.skipChildren();
    }
    return null;
  });
  return functions;
}

const NEVER_HOLD_FUNCTIONS: ReadonlySet<number> = new Set([
  TAG.array_type,
  TAG.enumeration_type,
  TAG.subroutine_type,
  TAG.inlined_subroutine,
  TAG.call_site,
  TAG.GNU_call_site,
]);

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
