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
import type { SourceLookup } from './source-frames.js';
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

/** Chains are short in practice, but the graph of all tail calls is large. */
const MAX_VISITED = 2_000;
const MAX_CACHED_CHAINS = 8_192;

export function createCallSites(
  sources: SourceLookup,
  symbol: (name: string) => FirmwareSymbol | null,
  /** The stack pointer's DWARF register number. */
  stackPointer: number,
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

  /** Tail calls of the function that begins at `entry`. @throws NoEntryValue when there is no such function */
  const tailCallsOf = (entry: number): Die[] => {
    const fn = functionAt(entry);
    if (fn === null || entryOf(fn) !== entry) throw NO_ENTRY_VALUE;
    return [...fn.scopes.callSites.values()].filter(isTailCall);
  };

  const findSelfCall = (entry: number): boolean => {
    const seen = new Set<number>([entry]);
    const open = [entry];
    for (let from = open.pop(); from !== undefined; from = open.pop()) {
      for (const call of tailCallsOf(from)) {
        const target = namedTarget(call);
        if (target === null || target === entry || seen.size >= MAX_VISITED) return true;
        if (!seen.has(target)) {
          seen.add(target);
          open.push(target);
        }
      }
    }
    return false;
  };

  /** All chains of tail calls from the function at `from` to `callee`, as far as they affect the result. */
  const findChains = (from: number, callee: number): Die[][] => {
    const chains: Die[][] = [];
    const visited = new Set<number>();
    const open: { entry: number; chain: Die[] }[] = [{ entry: from, chain: [] }];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      const { entry, chain } = state;
      if (entry === callee) {
        chains.push(chain);
        if (chain.length === 0) return chains;
        continue;
      }
      for (const call of tailCallsOf(entry)) {
        if (visited.has(call.offset)) continue;
        visited.add(call.offset);
        if (visited.size >= MAX_VISITED) throw NO_ENTRY_VALUE;
        const target = namedTarget(call);
        if (target === null) throw NO_ENTRY_VALUE;
        open.push({ entry: target, chain: [...chain, call] });
      }
    }
    return chains;
  };

  const findTailCalls = (callee: DebugFunction, returnAddress: number): number[] => {
    const callSite = returningTo(returnAddress);
    const calleeEntry = entryOf(callee);
    if (callSite === null || calleeEntry === null) return [];
    const target = namedTarget(callSite);
    if (target === null) return [];
    return unambiguous(findChains(target, calleeEntry))
      .flatMap((call) => returnAddressOf(call) ?? [])
      .reverse();
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

function isTailCall(callSite: Die): boolean {
  return flagAttribute(callSite, AT.call_tail_call) || flagAttribute(callSite, AT.GNU_tail_call);
}

function returnAddressOf(callSite: Die): number | null {
  return addressAttribute(callSite, AT.call_return_pc) ?? addressAttribute(callSite, AT.low_pc);
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

/** The common beginning and end of all chains; empty if one chain consists of nothing else. */
function unambiguous(chains: readonly Die[][]): Die[] {
  const [first, ...others] = chains;
  if (first === undefined) return [];
  let callers = first.length;
  let callees = first.length;
  for (const other of others) {
    callers = Math.min(
      callers,
      commonLength(first, other, (chain, index) => chain[index]),
    );
    callees = Math.min(
      callees,
      commonLength(first, other, (chain, index) => chain.at(-1 - index)),
    );
  }
  if (callers === first.length && callees === first.length) return first;
  return [...first.slice(0, callers), ...first.slice(first.length - callees)];
}

function commonLength(
  a: readonly Die[],
  b: readonly Die[],
  pick: (chain: readonly Die[], index: number) => Die | undefined,
): number {
  let length = 0;
  while (length < Math.min(a.length, b.length) && pick(a, length)?.offset === pick(b, length)?.offset)
    length++;
  return length;
}

function orWithoutEntryValue<T>(otherwise: T, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof NoEntryValue) return otherwise;
    throw error;
  }
}
