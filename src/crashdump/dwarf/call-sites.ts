/** Calls as the compiler described them (DWARF 5 §3.4): their targets, and the values of their arguments. */
import type { FirmwareSymbol } from '../elf/symbols.js';
import { AT, TAG } from './constants.js';
import {
  addressAttribute,
  attributeOf,
  childrenOf,
  flagAttribute,
  referenceAttribute,
  stringAttribute,
} from './dies.js';
import type { Die } from './entries.js';
import { type EntryPlace, isSamePlace, keyOf, passedPlaceOf } from './entry-place.js';
import type { DebugFunction } from './functions.js';
import { isCPlusPlusUnit, originsOf } from './names.js';
import { rangesOf } from './ranges.js';
import { returnAddressOfCall } from './scopes.js';
import type { SourceLookup } from './source-frames.js';
import { callsOfEveryWay, type TailCall } from './tail-call-chains.js';
import { NO_ENTRY_VALUE, NoEntryValue } from './value-errors.js';

export interface CallSites {
  /** The call that returns to the address; null when there is no description. */
  returningTo(address: number): Die | null;
  /** Entry point of the function that is called by name; null for calls through a pointer. @throws NoEntryValue */
  namedTarget(callSite: Die): number | null;
  /** The value that the call passes in a place; null when the compiler did not describe it. */
  passed(callSite: Die, place: EntryPlace): Passed | null;
  /**
   * Whether the function may have called itself by tail calls: its registers at the last entry are then unknown. True
   * also when this cannot be determined.
   */
  mayTailCallItself(entry: number): boolean;
  /** Return addresses of the frames that tail calls replaced, innermost first. */
  tailCallsBetween(calleePc: number, returnAddress: number): number[];
}

/** Expressions, evaluated in the caller's frame. */
export interface Passed {
  value: Uint8Array | null;
  /** For a reference: the value that it refers to. */
  data: Uint8Array | null;
}

/** Tail calls to look at: few matter in practice, but the graph of all of a firmware's is large. */
const MAX_VISITED = 2_000;
const MAX_CACHED_CHAINS = 8_192;

export function createCallSites(
  sources: SourceLookup,
  symbol: (name: string) => FirmwareSymbol | null,
  /** The stack pointer's DWARF register number. */
  stackPointer: number,
  /** The address behind the jump at an address. */
  endOfJump: (address: number) => number,
): CallSites {
  const selfCalls = new Map<number, boolean>();
  const passedValues = new Map<string, Passed | null>();
  const chains = new Map<string, number[]>();

  const { functionAt } = sources;
  const entryOf = (fn: DebugFunction): number | null => fn.ranges[0]?.start ?? null;

  const returningTo = (address: number) => functionAt(address - 1)?.scopes.callSites.get(address) ?? null;

  const namedTarget = (callSite: Die): number | null => {
    const origin =
      referenceAttribute(callSite, AT.call_origin) ?? referenceAttribute(callSite, AT.abstract_origin);
    if (origin === null) {
      if (targetExpression(callSite) !== null) return null;
      throw NO_ENTRY_VALUE;
    }
    const [range] = rangesOf(origin);
    if (range !== undefined) return range.start;
    const target = symbolOf(origin, symbol);
    if (target === null) throw NO_ENTRY_VALUE;
    return target.address;
  };

  /** Tail calls of the function that begins at `entry`. @throws NoEntryValue when they are not all known */
  const tailCallsOf = (entry: number): TailCall<Die>[] => {
    const fn = functionAt(entry);
    if (fn === null || entryOf(fn) !== entry || !describesAllTailCalls(fn.die)) throw NO_ENTRY_VALUE;
    return fn.scopes.tailCalls.map((site) => {
      const to = namedTarget(site);
      if (to === null) throw NO_ENTRY_VALUE;
      return { site, from: entry, to };
    });
  };

  const findSelfCall = (entry: number): boolean => {
    const seen = new Set<number>([entry]);
    const open = [entry];
    for (let from = open.pop(); from !== undefined; from = open.pop()) {
      for (const { to } of tailCallsOf(from)) {
        if (to === entry || seen.size >= MAX_VISITED) return true;
        if (!seen.has(to)) {
          seen.add(to);
          open.push(to);
        }
      }
    }
    return false;
  };

  const findTailCalls = (callee: DebugFunction, returnAddress: number): number[] => {
    const callSite = returningTo(returnAddress);
    const calleeEntry = entryOf(callee);
    if (callSite === null || calleeEntry === null) return [];
    const target = namedTarget(callSite);
    if (target === null) return [];
    const calls = callsOfEveryWay(target, calleeEntry, tailCallsOf, MAX_VISITED) ?? [];
    return calls.flatMap((call) => returnAddressOf(call, endOfJump) ?? []).reverse();
  };

  return {
    returningTo,
    namedTarget,
    passed(callSite, place) {
      const key = `${callSite.offset}/${keyOf(place)}`;
      let known = passedValues.get(key);
      if (known === undefined) {
        known = findPassed(callSite, place, stackPointer);
        passedValues.set(key, known);
      }
      return known;
    },
    mayTailCallItself(entry) {
      let known = selfCalls.get(entry);
      if (known === undefined) {
        known = orWithoutEntryValue(true, () => findSelfCall(entry));
        selfCalls.set(entry, known);
      }
      return known;
    },
    tailCallsBetween(calleePc, returnAddress) {
      const callee = functionAt(calleePc);
      if (callee === null) return [];
      const key = `${callee.die.offset}/${returnAddress}`;
      let known = chains.get(key);
      if (known === undefined) {
        known = orWithoutEntryValue<number[]>([], () => findTailCalls(callee, returnAddress));
        if (chains.size >= MAX_CACHED_CHAINS) chains.clear();
        chains.set(key, known);
      }
      return known;
    },
  };
}

/** The attribute with the target of a call through a pointer. */
export function targetExpression(callSite: Die): Uint8Array | null {
  return blockOf(callSite, AT.call_target) ?? blockOf(callSite, AT.GNU_call_site_target);
}

function findPassed(callSite: Die, place: EntryPlace, stackPointer: number): Passed | null {
  for (const parameter of childrenOf(callSite)) {
    if (parameter.tag !== TAG.call_site_parameter && parameter.tag !== TAG.GNU_call_site_parameter) continue;
    const passed = placeOf(parameter, stackPointer);
    if (passed === null || !isSamePlace(passed, place)) continue;
    return {
      value: blockOf(parameter, AT.call_value) ?? blockOf(parameter, AT.GNU_call_site_value),
      data: blockOf(parameter, AT.call_data_value) ?? blockOf(parameter, AT.GNU_call_site_data_value),
    };
  }
  return null;
}

function placeOf(parameter: Die, stackPointer: number): EntryPlace | null {
  const location = blockOf(parameter, AT.location);
  if (location !== null) return passedPlaceOf(location, stackPointer);
  const passed =
    referenceAttribute(parameter, AT.call_parameter) ?? referenceAttribute(parameter, AT.abstract_origin);
  return passed === null ? null : { kind: 'parameter', offset: passed.offset };
}

function blockOf(die: Die, attribute: number): Uint8Array | null {
  const value = attributeOf(die, attribute);
  return value?.kind === 'block' ? value.bytes : null;
}

/** clang names the jump of a tail call (DWARF 5 §3.4), because nothing returns behind it. */
function returnAddressOf(callSite: Die, endOfJump: (address: number) => number): number | null {
  const returnAddress = returnAddressOfCall(callSite);
  if (returnAddress !== null) return returnAddress;
  const jump = addressAttribute(callSite, AT.call_pc);
  return jump === null ? null : endOfJump(jump);
}

const ALL_TAIL_CALLS = [
  ...[AT.call_all_calls, AT.call_all_source_calls, AT.call_all_tail_calls],
  ...[AT.GNU_all_call_sites, AT.GNU_all_source_call_sites, AT.GNU_all_tail_call_sites],
];

/** Whether the compiler promises that no tail call of the function is missing (DWARF 5 §3.3.1.3). */
function describesAllTailCalls(fn: Die): boolean {
  return ALL_TAIL_CALLS.some((attribute) => flagAttribute(fn, attribute));
}

/** In C++ GDB searches for the linkage name only, so it does not find `extern "C"` functions; neither does this. */
function symbolOf(origin: Die, symbol: (name: string) => FirmwareSymbol | null): FirmwareSymbol | null {
  const isPlain = !isCPlusPlusUnit(origin.unit);
  for (const die of originsOf(origin)) {
    const name = stringAttribute(die, AT.linkage_name) ?? (isPlain ? stringAttribute(die, AT.name) : null);
    const found = name === null ? null : symbol(name);
    if (found !== null) return found;
  }
  return null;
}

function orWithoutEntryValue<T>(otherwise: T, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof NoEntryValue) return otherwise;
    throw error;
  }
}
