/** From an address to functions, files and lines, including inlined calls. */

import type { FirmwareSymbol } from '../elf/symbols.js';
import type { DebugInformation, OpenUnit } from './debug-information.js';
import type { DebugFunction } from './functions.js';
import type { LineRow } from './line-table.js';
import { fullName, functionName } from './names.js';
import type { Scope } from './scopes.js';

/** The debug information for one address; without a function where it has lines only. */
export interface SourcePlace {
  /** Innermost first; empty when no function covers the address. */
  readonly frames: readonly SourceScope[];
  readonly row: LineRow | null;
  readonly unit: OpenUnit;
  readonly function: DebugFunction | null;
}

export interface SourceScope {
  readonly scope: Scope;
  readonly name: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

export interface SourceLookup {
  /** Null for addresses that no unit covers. */
  at(address: number): SourcePlace | null;
  /** The function, not inlined, that covers the address. Unlike `at` it needs no line table. */
  functionAt(address: number): DebugFunction | null;
  /** Its name, in C++ with its parameters. */
  functionSymbolAt(address: number): FirmwareSymbol | null;
}

/** A dump needs some hundreds of addresses, and the dumps of a fleet need the same ones again. */
const MAX_CACHED_PLACES = 8192;

export function createSourceLookup(information: DebugInformation): SourceLookup {
  const places = new Map<number, SourcePlace | null>();
  const names = new Map<number, string | null>();
  const fullNames = new Map<number, string | null>();

  const nameOf = ({ die }: Scope, unit: OpenUnit): string | null => {
    let name = names.get(die.offset);
    if (name === undefined) {
      name = information.file.attempt(`The name of the function at ${die.offset}`, null, () =>
        functionName(die, unit.root),
      );
      names.set(die.offset, name);
    }
    return name;
  };

  const look = (address: number): SourcePlace | null => {
    const unit = information.unitAt(address);
    if (unit === null) return null;
    const row = unit.lines.rowAt(address);
    const fn = unit.functions.at(address);
    const frames: SourceScope[] = [];
    let place: { file: string | null; line: number | null } = {
      file: row?.file ?? null,
      line: row?.line ?? null,
    };
    for (let scope = fn?.scopes.at(address) ?? null; scope !== null; scope = scope.caller) {
      frames.push({ scope, name: nameOf(scope, unit), ...place });
      // The frame around an inlined call is at the line of that call.
      const file = scope.callFile === null ? null : unit.lines.fileName(scope.callFile);
      place = { file, line: scope.callLine };
    }
    return { frames, row, unit, function: fn };
  };

  const at = (address: number): SourcePlace | null => {
    let place = places.get(address);
    if (place === undefined) {
      place = look(address);
      if (places.size >= MAX_CACHED_PLACES) places.clear();
      places.set(address, place);
    }
    return place;
  };

  const functionAt = (address: number) => information.unitAt(address)?.functions.at(address) ?? null;

  return {
    at,
    functionAt,
    functionSymbolAt(address) {
      const fn = functionAt(address);
      const [first] = fn?.ranges ?? [];
      if (fn === null || first === undefined) return null;
      const { offset } = fn.die;
      let name = fullNames.get(offset);
      if (name === undefined) {
        name = information.file.attempt(`The name of the function at ${offset}`, null, () =>
          fullName(fn.die, fn.root),
        );
        fullNames.set(offset, name);
      }
      return name === null ? null : { name, address: first.start, size: first.end - first.start };
    },
  };
}
