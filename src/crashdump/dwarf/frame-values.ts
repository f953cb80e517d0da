/** Values of variables in a frame: now, and at the entry of their function. */
import { Malformed } from '../bytes.js';
import type { CfiRow } from '../unwind/cfi-row.js';
import { type CallSites, type Passed, targetExpression } from './call-sites.js';
import { AT } from './constants.js';
import { attributeOf } from './dies.js';
import type { Die } from './entries.js';
import { type EntryPlace, entryPlaceOf } from './entry-place.js';
import { type ExpressionFrame, evaluate, type Location } from './expression.js';
import type { CallingFrame, FrameContext } from './frame-context.js';
import type { DebugFunction } from './functions.js';
import { locationAt } from './locations.js';
import type { SourceLookup } from './source-frames.js';
import { ADDRESS_SIZE, bitsIn, type StackValue, untyped } from './stack-value.js';
import type { ValueType } from './types.js';
import {
  NO_ENTRY_VALUE,
  NoEntryValue,
  VALUE_OPTIMIZED_OUT,
  ValueError,
  ValueOptimizedOut,
} from './value-errors.js';

/** The result of reading a value: its bytes, or GDB's words for the failure. */
export type Reading =
  /** `target`: the value that a reference referred to at the call. */
  | { kind: 'bytes'; bytes: Uint8Array; target?: Reading }
  | { kind: 'optimizedOut' }
  | { kind: 'synthetic' }
  | { kind: 'error'; message: string };

export interface Frame {
  fn: DebugFunction;
  pc: number;
  /** Whether the frame waits for a call, which may have changed registers. */
  isAtCall: boolean;
  registers: ReadonlyMap<number, number>;
  cfa: number | null;
  caller: CallingFrame | null;
  readMemory: FrameContext['readMemory'];
}

export interface FrameValues {
  readNow(parameter: Die, type: ValueType, frame: Frame): Reading;
  /** Null unless the argument was passed in a place whose value at the call is known. */
  readAtEntry(parameter: Die, type: ValueType, frame: Frame): Reading | null;
}

interface FrameValuesDeps {
  sources: SourceLookup;
  callSites: CallSites;
  cfiAt: (pc: number) => CfiRow | null;
  wholeFrameSizeAt: (pc: number, register: number) => number | null;
  keptByCalls: ReadonlySet<number> | null;
}

/** Limits entry values that refer from caller to caller. */
const MAX_CALLERS = 16;
/** Structs of Rust are shown; in C and C++ the largest values have 16. */
export const MAX_VALUE_BYTES = 128;

/** Of one variable: crashes of one firmware are in few of a function's places. */
const MAX_CACHED_PLACES = 64;

export function createFrameValues({
  sources,
  callSites,
  cfiAt,
  wholeFrameSizeAt,
  keptByCalls,
}: FrameValuesDeps): FrameValues {
  const expressionFrame = (frame: Frame, depth: number): ExpressionFrame => ({
    unit: frame.fn.unit,
    register(register) {
      const isKept = !frame.isAtCall || keptByCalls === null || keptByCalls.has(register);
      const value = isKept ? frame.registers.get(register) : undefined;
      if (value === undefined) throw VALUE_OPTIMIZED_OUT;
      return value;
    },
    readMemory: (address, length) => readOrFail(frame, address, length),
    frameBase() {
      const base = locationAt(frame.fn.die, AT.frame_base, frame.pc);
      if (base === null) throw new ValueError('Could not find the frame base');
      const location = evaluate(base, expressionFrame(frame, depth + 1));
      if (location.kind === 'register')
        return wholeFrameBase(frame, this.register(location.register), location.register);
      if (location.kind === 'memory') return location.address;
      throw new ValueError('Could not find the frame base');
    },
    callFrameAddress() {
      const cfa = frame.cfa ?? computeCfa(frame);
      if (cfa === null) throw new ValueError("can't compute CFA for this frame");
      return cfa;
    },
    entryValue: (place) => entryValue(frame, place, depth),
  });

  /**
   * clang's frame base is the stack pointer, which is there only while the frame is whole: before and after that it is
   * above.
   */
  const wholeFrameBase = ({ pc, isAtCall, cfa }: Frame, base: number, register: number): number => {
    const row = isAtCall ? null : cfiAt(pc);
    if (row?.cfa.register !== register) return base;
    const size = wholeFrameSizeAt(pc, register);
    return size === null ? base : ((cfa ?? base + row.cfa.offset) - size) >>> 0;
  };

  const computeCfa = ({ pc, registers }: Frame): number | null => {
    const row = cfiAt(pc);
    const base = row === null ? undefined : registers.get(row.cfa.register);
    return row === null || base === undefined ? null : (base + row.cfa.offset) >>> 0;
  };

  const callerOf = ({ caller, readMemory }: Frame): Frame | null => {
    const fn = caller === null ? null : sources.functionAt(caller.pc - 1);
    if (caller === null || fn === null) return null;
    const { registers, cfa = null, caller: next = null } = caller;
    return { fn, pc: caller.pc - 1, isAtCall: true, registers, cfa, caller: next, readMemory };
  };

  /** The value that the caller passed to the frame's function, by its description. @throws NoEntryValue, ValueError */
  const passedTo = (
    frame: Frame,
    place: EntryPlace,
    depth: number,
  ): Passed & { inCaller: ExpressionFrame } => {
    const callSite = frame.caller === null ? null : callSites.returningTo(frame.caller.pc);
    const caller = callerOf(frame);
    const entry = frame.fn.ranges[0]?.start;
    if (callSite === null || caller === null || entry === undefined || depth >= MAX_CALLERS)
      throw NO_ENTRY_VALUE;
    const inCaller = expressionFrame(caller, depth + 1);
    if (targetOf(callSite, inCaller) !== entry || callSites.mayTailCallItself(entry)) throw NO_ENTRY_VALUE;
    const passed = callSites.passed(callSite, place);
    if (passed === null) throw NO_ENTRY_VALUE;
    return { ...passed, inCaller };
  };

  /** The value in a place at the entry of the frame's function. @throws NoEntryValue, ValueError */
  const entryValue = (frame: Frame, place: EntryPlace, depth: number): StackValue => {
    const { value, inCaller } = passedTo(frame, place, depth);
    if (value === null) throw NO_ENTRY_VALUE;
    return stackValue(evaluate(value, inCaller), inCaller);
  };

  /** Null when the compiler did not describe it: the present target of a reference may have another value. */
  const passedTarget = (frame: Frame, place: EntryPlace, size: number): Reading | null => {
    const { data, inCaller } = passedTo(frame, place, 0);
    if (data === null) return null;
    return reading(() => computed(stackValue(evaluate(data, inCaller), inCaller), size));
  };

  const targetOf = (callSite: Die, inCaller: ExpressionFrame): number => {
    const named = callSites.namedTarget(callSite);
    if (named !== null) return named;
    const target = targetExpression(callSite);
    if (target === null) throw NO_ENTRY_VALUE;
    try {
      return Number(stackValue(evaluate(target, inCaller), inCaller).bits);
    } catch (error) {
      // GDB treats the target as a value of the caller, so it is "optimized out" instead of having no entry value.
      if (error instanceof NoEntryValue) throw VALUE_OPTIMIZED_OUT;
      throw error;
    }
  };

  /** The same crash comes again and again: the lists of a variable's locations are searched once for each place. */
  const locations = new WeakMap<Die, Map<number, Uint8Array | null>>();
  const expressionAt = (parameter: Die, pc: number): Uint8Array | null => {
    let known = locations.get(parameter);
    if (known === undefined) {
      known = new Map();
      locations.set(parameter, known);
    }
    let expression = known.get(pc);
    if (expression === undefined) {
      expression = locationAt(parameter, AT.location, pc);
      if (known.size < MAX_CACHED_PLACES) known.set(pc, expression);
    }
    return expression;
  };

  const readNow = (parameter: Die, type: ValueType, frame: Frame): Reading => {
    const constant = attributeOf(parameter, AT.const_value);
    if (constant?.kind === 'constant') {
      return { kind: 'bytes', bytes: bytesOf(constant.wide ?? BigInt(constant.value), type.size) };
    }
    if (constant?.kind === 'block') return fitted(constant.bytes, type.size);
    return reading(() => {
      const expression = expressionAt(parameter, frame.pc);
      if (expression === null) return { kind: 'optimizedOut' };
      const inFrame = expressionFrame(frame, 0);
      return valueAt(evaluate(expression, inFrame), type.size, inFrame);
    });
  };

  const readAtEntry = (parameter: Die, type: ValueType, frame: Frame): Reading | null => {
    const entry = frame.fn.ranges[0]?.start;
    if (entry === undefined) return null;
    try {
      const expression = expressionAt(parameter, entry);
      const place = expression === null ? null : entryPlaceOf(expression);
      if (place === null) return null;
      const value = computed(entryValue(frame, place, 0), type.size);
      if (value.kind !== 'bytes') return null;
      if (type.kind !== 'reference') return value;
      const target = passedTarget(frame, place, type.to.size);
      return target === null ? null : { ...value, target };
    } catch (error) {
      if (error instanceof NoEntryValue || error instanceof Malformed) return null;
      if (error instanceof ValueError) return { kind: 'error', message: error.message };
      throw error;
    }
  };

  return { readNow, readAtEntry };
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
      return computed(location.value, size);
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

function computed(value: StackValue, size: number): Reading {
  const bits = bitsIn(value, size);
  return bits === null ? { kind: 'optimizedOut' } : { kind: 'bytes', bytes: bytesOf(bits, size) };
}

/** A value of eight bytes uses two registers. An unknown register is not an error: the value is optimized out. */
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
    // Of a longer piece the register has a part.
    if (piece.location.kind === 'register' && piece.size > ADDRESS_SIZE) return { kind: 'optimizedOut' };
    const part = valueAt(piece.location, Math.min(piece.size, size - filled), frame);
    if (part.kind !== 'bytes') return part;
    bytes.set(part.bytes, filled);
    filled += part.bytes.length;
  }
  return filled < size ? { kind: 'optimizedOut' } : { kind: 'bytes', bytes };
}

/** The result of an expression for a passed value or a target: a place stands for its address. */
function stackValue(location: Location, frame: ExpressionFrame): StackValue {
  switch (location.kind) {
    case 'memory':
      return untyped(location.address);
    case 'value':
      return location.value;
    case 'register':
      return untyped(frame.register(location.register));
    default:
      throw NO_ENTRY_VALUE;
  }
}

function readOrFail({ readMemory }: Frame, address: number, length: number): Uint8Array {
  const bytes = length > MAX_VALUE_BYTES ? null : readMemory(address >>> 0, length);
  if (bytes === null)
    throw new ValueError(
      `Cannot access memory at address 0x${firstMissing(readMemory, address, length).toString(16)}`,
    );
  return bytes;
}

/** Of a value that is partly there. */
function firstMissing(readMemory: Frame['readMemory'], address: number, length: number): number {
  for (let offset = 0; offset < Math.min(length, MAX_VALUE_BYTES); offset++) {
    if (readMemory((address + offset) >>> 0, 1) === null) return (address + offset) >>> 0;
  }
  return address >>> 0;
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
