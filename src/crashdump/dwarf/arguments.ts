/** The arguments of a frame, as GDB prints them in its line. */

import type { FirmwareSymbol } from '../elf/symbols.js';
import type { CfiRow } from '../unwind/cfi-row.js';
import type { CallSites } from './call-sites.js';
import { AT, TAG } from './constants.js';
import { attributeOf, childrenOf, referenceAttribute } from './dies.js';
import type { Die } from './entries.js';
import { formatReferenced, formatValue } from './format-value.js';
import type { FrameContext } from './frame-context.js';
import { createFrameValues, type Frame, MAX_VALUE_BYTES, type Reading } from './frame-values.js';
import type { DebugFunction } from './functions.js';
import { originsOf, plainName } from './names.js';
import { formatRustValue } from './rust-values.js';
import type { Scope } from './scopes.js';
import type { SourceLookup } from './source-frames.js';
import { littleEndian } from './stack-value.js';
import { typeOf, type ValueType } from './types.js';

export interface SourceArgument {
  name: string;
  /** As GDB prints it. */
  value: string;
}

interface Parameter {
  die: Die;
  name: string;
  type: ValueType | null;
}

export interface ArgumentReader {
  /** @param pc an address inside the function; for callers, an address inside the call instruction */
  argumentsOf(scope: Scope, fn: DebugFunction, pc: number, context: FrameContext): SourceArgument[];
}

interface ArgumentReaderDeps {
  sources: SourceLookup;
  callSites: CallSites;
  symbolAt: (address: number) => FirmwareSymbol | null;
  cfiAt: (pc: number) => CfiRow | null;
  wholeFrameSizeAt: (pc: number, register: number) => number | null;
  /** DWARF numbers of the registers that keep their values over a call; null when all that are given do. */
  keptByCalls: ReadonlySet<number> | null;
}

/** Larger ones are not read: their line shows no more than that they are there. */
const MAX_AGGREGATE_BYTES = 16;

export function createArgumentReader({ symbolAt, ...deps }: ArgumentReaderDeps): ArgumentReader {
  const values = createFrameValues(deps);
  const types = new Map<number, ValueType | null>();
  const parameters = new WeakMap<Scope, readonly Parameter[]>();

  const typeOfParameter = (parameter: Die): ValueType | null => {
    const described = [...originsOf(parameter)].find((die) => attributeOf(die, AT.type) !== null);
    if (described === undefined) return null;
    const key = referenceAttribute(described, AT.type)?.offset ?? -1;
    let type = types.get(key);
    if (type === undefined) {
      type = typeOf(described);
      types.set(key, type);
    }
    return type;
  };

  const print = (type: ValueType, value: Reading, frame: Frame): string => {
    switch (value.kind) {
      case 'error':
        return `<error reading variable: ${value.message}>`;
      case 'optimizedOut':
        return isAggregate(type) ? '...' : '<optimized out>';
      case 'synthetic':
        return '<synthetic pointer>';
      case 'bytes':
        if (type.kind === 'reference' && value.target !== undefined) {
          return formatReferenced(type, value.bytes, print(type.to, value.target, frame));
        }
        if (type.kind === 'rust')
          return formatRustValue(type.type, value.bytes, { readMemory: frame.readMemory, symbolAt });
        return formatValue(type, value.bytes, { readMemory: frame.readMemory, symbolAt });
    }
  };

  const parametersOf = (scope: Scope): readonly Parameter[] => {
    let known = parameters.get(scope);
    if (known === undefined) {
      known = describe(listParameters(scope), typeOfParameter);
      parameters.set(scope, known);
    }
    return known;
  };

  const printArgument = ({ die: parameter, name, type }: Parameter, frame: Frame): SourceArgument[] => {
    if (type === null) return [{ name, value: '<optimized out>' }];
    if (type.size > (type.kind === 'aggregate' ? MAX_AGGREGATE_BYTES : MAX_VALUE_BYTES))
      return [{ name, value: '...' }];
    const now = values.readNow(parameter, type, frame);
    const atEntry = values.readAtEntry(parameter, type, frame);
    if (
      atEntry === null ||
      (atEntry.kind === 'error' && now.kind === 'error' && atEntry.message === now.message)
    ) {
      return [{ name, value: print(type, now, frame) }];
    }
    if (isSame(now, atEntry) && refersToTheSame(type, atEntry, frame))
      return [{ name, value: `${name}@entry=${print(type, now, frame)}` }];
    return [
      { name, value: print(type, now, frame) },
      { name: `${name}@entry`, value: print(type, atEntry, frame) },
    ];
  };

  return {
    argumentsOf(scope, fn, pc, context) {
      const { registers, cfa, caller, readMemory } = context;
      const frame: Frame = { fn, pc, isAtCall: pc !== context.pc, registers, cfa, caller, readMemory };
      return fn.unit.file.attempt(`The arguments of the function at ${scope.die.offset}`, [], () =>
        parametersOf(scope).flatMap((parameter) => printArgument(parameter, frame)),
      );
    },
  };
}

function isAggregate(type: ValueType): boolean {
  return type.kind === 'aggregate' || (type.kind === 'reference' && isAggregate(type.to));
}

/** With their names; the compiler may have parameters without one, which GDB does not show. */
function describe(all: readonly Die[], typeOfParameter: (die: Die) => ValueType | null): Parameter[] {
  const named = all.flatMap((die) => {
    const name = plainName(die);
    return name === null ? [] : [{ die, name }];
  });
  // A parameter that the compiler has split has several entries; GDB shows the last one's value for each.
  const last = new Map(named.map(({ die, name }) => [name, { die, name, type: typeOfParameter(die) }]));
  return named.flatMap(({ name }) => last.get(name) ?? []);
}

/** Its own parameters, then those that only the abstract instance lists, which have no location. */
function listParameters(scope: Scope): readonly Die[] {
  const origin = referenceAttribute(scope.die, AT.abstract_origin);
  if (origin === null) return scope.parameters;
  const concrete = new Set(
    scope.parameters.map((die) => referenceAttribute(die, AT.abstract_origin)?.offset),
  );
  const rest = [...childrenOf(origin)].filter(
    (die) => die.tag === TAG.formal_parameter && !concrete.has(die.offset),
  );
  return [...scope.parameters, ...rest];
}

function isSame(a: Reading, b: Reading): boolean {
  return a.kind === 'bytes' && b.kind === 'bytes' && Buffer.compare(a.bytes, b.bytes) === 0;
}

/** GDB compares the target of a reference too. */
function refersToTheSame(type: ValueType, atEntry: Reading, { readMemory }: Frame): boolean {
  if (type.kind !== 'reference' || atEntry.kind !== 'bytes' || atEntry.target === undefined) return true;
  const now = readMemory(Number(littleEndian(atEntry.bytes)), type.to.size);
  return now !== null && isSame({ kind: 'bytes', bytes: now }, atEntry.target);
}
