/** The arguments of a frame, as GDB prints them in its line. */
import { Malformed } from '../bytes.js';
import type {
  CallingFrame,
  CfiRow,
  FirmwareSymbol,
  FrameContext,
  SourceArgument,
} from '../firmware-image.js';
import { type CallSites, targetExpression } from './call-sites.js';
import { AT, TAG } from './constants.js';
import { attributeOf, childrenOf, type Die, referenceAttribute } from './dies.js';
import {
  type ExpressionFrame,
  evaluate,
  type Location,
  NO_ENTRY_VALUE,
  NoEntryValue,
  type StackValue,
  singleRegister,
  untyped,
  VALUE_OPTIMIZED_OUT,
  ValueError,
  ValueOptimizedOut,
} from './expression.js';
import { formatValue } from './format-value.js';
import type { DebugFunction } from './functions.js';
import { locationAt } from './locations.js';
import { originsOf, plainName } from './names.js';
import type { Scope } from './scopes.js';
import type { SourceLookup } from './source-frames.js';
import { typeOf, type ValueType } from './types.js';

export interface ArgumentReader {
  /** @param pc inside the function; the call's address for callers */
  argumentsOf(scope: Scope, fn: DebugFunction, pc: number, context: FrameContext): SourceArgument[];
}

interface ArgumentReaderDeps {
  sources: SourceLookup;
  callSites: CallSites;
  symbolAt: (address: number) => FirmwareSymbol | null;
  cfiAt: (pc: number) => CfiRow | null;
}

/** What an attempt to read a value gave: its bytes, or GDB's words for why there are none. */
type Reading =
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'optimizedOut' }
  | { kind: 'synthetic' }
  | { kind: 'error'; message: string };

interface Frame {
  fn: DebugFunction;
  pc: number;
  registers: ReadonlyMap<number, number>;
  cfa: number | null;
  caller: CallingFrame | null;
  readMemory: FrameContext['readMemory'];
}

/** Entry values may lead from caller to caller. */
const MAX_CALLERS = 16;
const MAX_VALUE_BYTES = 16;

export function createArgumentReader({
  sources,
  callSites,
  symbolAt,
  cfiAt,
}: ArgumentReaderDeps): ArgumentReader {
  const types = new Map<number, ValueType | null>();
  const parameters = new WeakMap<Scope, readonly Die[]>();

  const parametersOf = (scope: Scope): readonly Die[] => {
    const known = parameters.get(scope) ?? listParameters(scope);
    parameters.set(scope, known);
    return known;
  };

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

  const expressionFrame = (frame: Frame, depth: number): ExpressionFrame => ({
    unit: frame.fn.unit,
    register(register) {
      const value = frame.registers.get(register);
      if (value === undefined) throw VALUE_OPTIMIZED_OUT;
      return value;
    },
    readMemory: (address, length) => readOrFail(frame, address, length),
    frameBase() {
      const base = locationAt(frame.fn.die, AT.frame_base, frame.pc);
      if (base === null) throw new ValueError('Could not find the frame base');
      const location = evaluate(base, expressionFrame(frame, depth + 1));
      if (location.kind === 'register') return this.register(location.register);
      if (location.kind === 'memory') return location.address;
      throw new ValueError('Could not find the frame base');
    },
    callFrameAddress() {
      const cfa = frame.cfa ?? computeCfa(frame);
      if (cfa === null) throw new ValueError("can't compute CFA for this frame");
      return cfa;
    },
    entryValue: (register) => entryValue(frame, register, depth),
  });

  const computeCfa = ({ pc, registers }: Frame): number | null => {
    const row = cfiAt(pc);
    const base = row === null ? undefined : registers.get(row.cfa.register);
    return row === null || base === undefined ? null : (base + row.cfa.offset) >>> 0;
  };

  const callerOf = ({ caller, readMemory }: Frame): Frame | null => {
    const fn = caller === null ? null : (sources.at(caller.pc - 1)?.function ?? null);
    if (caller === null || fn === null) return null;
    const { registers, cfa = null, caller: next = null } = caller;
    return { fn, pc: caller.pc - 1, registers, cfa, caller: next, readMemory };
  };

  /** What a register held when the frame's function was entered: what its caller says that it passed. */
  const entryValue = (frame: Frame, register: number, depth: number): StackValue => {
    const callSite = frame.caller === null ? null : callSites.returningTo(frame.caller.pc);
    const caller = callerOf(frame);
    const entry = frame.fn.ranges[0]?.start;
    if (callSite === null || caller === null || entry === undefined || depth >= MAX_CALLERS)
      throw NO_ENTRY_VALUE;
    const inCaller = expressionFrame(caller, depth + 1);
    if (targetOf(callSite, inCaller) !== entry || callSites.mayTailCallItself(entry)) throw NO_ENTRY_VALUE;
    const passed = callSites.passedValue(callSite, register);
    if (passed === null) throw NO_ENTRY_VALUE;
    return stackValue(evaluate(passed, inCaller), inCaller);
  };

  const targetOf = (callSite: Die, inCaller: ExpressionFrame): number => {
    const named = callSites.namedTarget(callSite);
    if (named !== null) return named;
    const target = targetExpression(callSite);
    if (target === null) throw NO_ENTRY_VALUE;
    try {
      return Number(stackValue(evaluate(target, inCaller), inCaller).bits);
    } catch (error) {
      // GDB takes the target for a value of the caller's, which is then "optimized out", not without an entry value.
      if (error instanceof NoEntryValue) throw VALUE_OPTIMIZED_OUT;
      throw error;
    }
  };

  const readNow = (parameter: Die, type: ValueType, frame: Frame): Reading => {
    const constant = attributeOf(parameter, AT.const_value);
    if (constant?.kind === 'constant') {
      return { kind: 'bytes', bytes: bytesOf(constant.wide ?? BigInt(constant.value), type.size) };
    }
    if (constant?.kind === 'block') return fitted(constant.bytes, type.size);
    return reading(() => {
      const expression = locationAt(parameter, AT.location, frame.pc);
      if (expression === null) return { kind: 'optimizedOut' };
      const inFrame = expressionFrame(frame, 0);
      return valueAt(evaluate(expression, inFrame), type.size, inFrame);
    });
  };

  /** Null unless the argument came in a register whose value at the call is known. */
  const readAtEntry = (parameter: Die, type: ValueType, frame: Frame): Reading | null => {
    const entry = frame.fn.ranges[0]?.start;
    if (entry === undefined) return null;
    try {
      const expression = locationAt(parameter, AT.location, entry);
      const register = expression === null ? null : singleRegister(expression);
      if (register === null) return null;
      const { bits } = entryValue(frame, register, 0);
      return { kind: 'bytes', bytes: bytesOf(bits, type.size) };
    } catch (error) {
      if (error instanceof NoEntryValue || error instanceof Malformed) return null;
      if (error instanceof ValueError) return { kind: 'error', message: error.message };
      throw error;
    }
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
        return formatValue(type, value.bytes, { readMemory: frame.readMemory, symbolAt });
    }
  };

  const printArgument = (parameter: Die, frame: Frame): SourceArgument[] => {
    const name = plainName(parameter);
    if (name === null) return [];
    const type = typeOfParameter(parameter);
    if (type === null) return [{ name, value: '<optimized out>' }];
    if (type.kind === 'aggregate' && type.size > MAX_VALUE_BYTES) return [{ name, value: '...' }];
    const now = readNow(parameter, type, frame);
    const atEntry = readAtEntry(parameter, type, frame);
    if (
      atEntry === null ||
      (atEntry.kind === 'error' && now.kind === 'error' && atEntry.message === now.message)
    ) {
      return [{ name, value: print(type, now, frame) }];
    }
    if (isSame(now, atEntry)) return [{ name, value: `${name}@entry=${print(type, now, frame)}` }];
    return [
      { name, value: print(type, now, frame) },
      { name: `${name}@entry`, value: print(type, atEntry, frame) },
    ];
  };

  return {
    argumentsOf(scope, fn, pc, context) {
      const { registers, cfa, caller, readMemory } = context;
      const frame: Frame = { fn, pc, registers, cfa, caller, readMemory };
      return fn.unit.file.attempt(`The arguments of the function at ${scope.die.offset}`, [], () =>
        parametersOf(scope).flatMap((parameter) => printArgument(parameter, frame)),
      );
    },
  };
}

function isAggregate(type: ValueType): boolean {
  return type.kind === 'aggregate' || (type.kind === 'reference' && isAggregate(type.to));
}

/** Its own, then those that only the abstract instance lists: they are in no place at all. */
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

function reading(read: () => Reading): Reading {
  try {
    return read();
  } catch (error) {
    if (error instanceof NoEntryValue || error instanceof Malformed) return { kind: 'optimizedOut' };
    if (error instanceof ValueError) return { kind: 'error', message: error.message };
    throw error;
  }
}

function valueAt(location: Location, size: number, frame: ExpressionFrame): Reading {
  if (size > MAX_VALUE_BYTES) return { kind: 'optimizedOut' };
  switch (location.kind) {
    case 'memory':
      return { kind: 'bytes', bytes: frame.readMemory(location.address, size) };
    case 'register':
      return registerBytes(location.register, size, frame);
    case 'value':
      return { kind: 'bytes', bytes: bytesOf(location.bits, size) };
    case 'bytes':
      return fitted(location.bytes, size);
    case 'implicitPointer':
      return { kind: 'synthetic' };
    case 'nowhere':
      return { kind: 'optimizedOut' };
    case 'pieces':
      return piecesBytes(location.pieces, size, frame);
  }
}

/** A value of eight bytes takes two registers. A register that is not known here is not in error: it is lost. */
function registerBytes(register: number, size: number, frame: ExpressionFrame): Reading {
  try {
    let bits = 0n;
    for (let index = 0; index * 4 < size; index++) {
      bits |= BigInt(frame.register(register + index)) << BigInt(index * 32);
    }
    return { kind: 'bytes', bytes: bytesOf(bits, size) };
  } catch (error) {
    if (error instanceof ValueOptimizedOut) return { kind: 'optimizedOut' };
    throw error;
  }
}

function piecesBytes(
  pieces: Extract<Location, { kind: 'pieces' }>['pieces'],
  size: number,
  frame: ExpressionFrame,
): Reading {
  const bytes = new Uint8Array(size);
  let filled = 0;
  for (const piece of pieces) {
    if (filled >= size) break;
    const part = valueAt(piece.location, Math.min(piece.size, size - filled), frame);
    if (part.kind !== 'bytes') return part;
    bytes.set(part.bytes, filled);
    filled += part.bytes.length;
  }
  return filled < size ? { kind: 'optimizedOut' } : { kind: 'bytes', bytes };
}

/** What an expression for a passed value or a target stands for: a place counts as its address. */
function stackValue(location: Location, frame: ExpressionFrame): StackValue {
  switch (location.kind) {
    case 'memory':
      return untyped(location.address);
    case 'value':
      return { bits: location.bits, size: location.size, isSigned: false };
    case 'register':
      return untyped(frame.register(location.register));
    default:
      throw NO_ENTRY_VALUE;
  }
}

function readOrFail({ readMemory }: Frame, address: number, length: number): Uint8Array {
  const bytes = length > MAX_VALUE_BYTES ? null : readMemory(address >>> 0, length);
  if (bytes === null)
    throw new ValueError(`Cannot access memory at address 0x${(address >>> 0).toString(16)}`);
  return bytes;
}

function fitted(bytes: Uint8Array, size: number): Reading {
  return bytes.length >= size ? { kind: 'bytes', bytes: bytes.subarray(0, size) } : { kind: 'optimizedOut' };
}

function bytesOf(bits: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(size, MAX_VALUE_BYTES));
  let rest = BigInt.asUintN(bytes.length * 8, bits);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function isSame(a: Reading, b: Reading): boolean {
  return a.kind === 'bytes' && b.kind === 'bytes' && Buffer.compare(a.bytes, b.bytes) === 0;
}
