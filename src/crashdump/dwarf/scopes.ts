/** The content of a function: the calls inlined into it, its parameters, the calls that it makes. */
import { AT, TAG } from './constants.js';
import { addressAttribute, constantAttribute, DieWalk, flagAttribute } from './dies.js';
import type { Die } from './entries.js';
import { createRangeMap, type Range, type RangeMap, Ranges } from './range-map.js';
import { rangesOf } from './ranges.js';

export interface FunctionScopes {
  readonly outermost: Scope;
  /** The innermost function, inlined or not, that is active at the address. */
  at(address: number): Scope;
  /** Calls by the address to which they return. */
  readonly callSites: ReadonlyMap<number, Die>;
  /** Calls that end the function by a jump to another one. */
  readonly tailCalls: readonly Die[];
}

/** A function, or a call that was inlined. */
export interface Scope {
  /** DW_TAG_subprogram or DW_TAG_inlined_subroutine. */
  readonly die: Die;
  /** The scope into which this one is inlined; null for the function itself. */
  readonly caller: Scope | null;
  /** File number in the unit's line table, and line, of the call. */
  readonly callFile: number | null;
  readonly callLine: number | null;
  readonly parameters: readonly Die[];
}

interface OpenScope extends Scope {
  parameters: Die[];
}

/** When its content cannot be read, the function has no inlined calls. */
export function readScopes(die: Die, ranges: readonly Range[]): FunctionScopes {
  const outermost: OpenScope = { die, caller: null, callFile: null, callLine: null, parameters: [] };
  const calls: Calls = { callSites: new Map(), tailCalls: [] };
  const covered = new Ranges<Scope>();
  for (const { start, end } of ranges) covered.add(start, end, outermost);
  die.unit.file.attempt(`The function at ${die.offset} of .debug_info`, null, () => {
    collect(outermost, covered, calls);
    return null;
  });
  let map: RangeMap<Scope> | undefined;
  return {
    outermost,
    ...calls,
    at(address) {
      map ??= createRangeMap(covered);
      return map.at(address) ?? outermost;
    },
  };
}

interface Calls {
  callSites: Map<number, Die>;
  tailCalls: Die[];
}

/** The address to which a call returns; null where the compiler wrote only where it is. */
export function returnAddressOfCall(callSite: Die): number | null {
  return addressAttribute(callSite, AT.call_return_pc) ?? addressAttribute(callSite, AT.low_pc);
}

function collect(outermost: OpenScope, covered: Ranges<Scope>, calls: Calls): void {
  const walk = new DieWalk(outermost.die.unit, outermost.die);
  // The scope of entries at each depth; elements deeper than the current entry are stale.
  const scopes: OpenScope[] = [outermost];
  for (let die = walk.next(); die !== null; die = walk.next()) {
    const { depth } = walk;
    const scope = scopes[depth] ?? outermost;
    let inner = scope;
    switch (die.tag) {
      case TAG.inlined_subroutine: {
        inner = inlinedScope(die, scope);
        for (const { start, end } of rangesOf(die)) covered.add(start, end, inner);
        break;
      }
      case TAG.lexical_block:
        break;
      case TAG.formal_parameter:
        if (isParameterOf(scope, depth, scopes)) scope.parameters.push(die);
        break;
      case TAG.call_site:
      case TAG.GNU_call_site: {
        const returnAddress = returnAddressOfCall(die);
        if (returnAddress !== null) calls.callSites.set(returnAddress, die);
        if (flagAttribute(die, AT.call_tail_call) || flagAttribute(die, AT.GNU_tail_call))
          calls.tailCalls.push(die);
        walk.skipChildren();
        break;
      }
      default:
        // Local types and nested functions do not run as part of this function.
        walk.skipChildren();
    }
    scopes[depth + 1] = inner;
  }
}

/** A parameter is a direct child of its function, not of a block in it. */
function isParameterOf(scope: Scope, depth: number, scopes: readonly Scope[]): boolean {
  return depth === 0 || scopes[depth - 1] !== scope;
}

function inlinedScope(die: Die, caller: Scope): OpenScope {
  return {
    die,
    caller,
    callFile: constantAttribute(die, AT.call_file),
    callLine: constantAttribute(die, AT.call_line),
    parameters: [],
  };
}
