/** Evaluates DWARF expressions (DWARF 5 §2.5, §2.6) to the place or the value that they describe. */
import { ByteReader, Malformed } from '../bytes.js';
import { AT } from './constants.js';
import { constantAttribute } from './dies.js';
import type { Unit } from './units.js';

/** Where a value is. A value that is in no single place is put together from pieces. */
export type Location =
  | { kind: 'memory'; address: number }
  | { kind: 'register'; register: number }
  /** Nowhere, but known: the bits, as many as `size` bytes. */
  | { kind: 'value'; bits: bigint; size: number }
  | { kind: 'bytes'; bytes: Uint8Array }
  /** A pointer to something that has no address. */
  | { kind: 'implicitPointer' }
  | { kind: 'nowhere' }
  | { kind: 'pieces'; pieces: readonly { location: Location; size: number }[] };

/** What an expression may ask of the frame that it is evaluated in. */
export interface ExpressionFrame {
  readonly unit: Unit;
  /** @throws ValueOptimizedOut */
  register(register: number): number;
  /** @throws ValueError */
  readMemory(address: number, length: number): Uint8Array;
  /** Value of the function's frame base. @throws ValueError */
  frameBase(): number;
  /** @throws ValueError */
  callFrameAddress(): number;
  /** What the register held when the function was entered. @throws ValueError, NoEntryValue */
  entryValue(register: number): StackValue;
}

/** Something that GDB reports in the place of the value, in its words. */
export class ValueError extends Error {
  override readonly name: string = 'ValueError';
}

export class ValueOptimizedOut extends ValueError {
  constructor() {
    super('value has been optimized out');
  }
}

/** The value at the function's entry cannot be found out; the variable then counts as optimized out. */
export class NoEntryValue extends Error {
  override readonly name = 'NoEntryValue';
}

/** Both happen for most arguments of optimised code, so what is thrown is made once, without a stack each time. */
export const NO_ENTRY_VALUE = new NoEntryValue();
export const VALUE_OPTIMIZED_OUT = new ValueOptimizedOut();

/** Bits below the size; untyped values are addresses, four bytes without a sign. */
export interface StackValue {
  readonly bits: bigint;
  readonly size: number;
  readonly isSigned: boolean;
}

const MAX_STEPS = 10_000;
const MAX_STACK = 1_024;
const ADDRESS_SIZE = 4;
/** DW_ATE_signed, DW_ATE_signed_char. */
const SIGNED_ENCODINGS: ReadonlySet<number> = new Set([0x05, 0x06]);
const FLOAT_ENCODING = 0x04;

/** @throws Malformed, ValueError, NoEntryValue */
export function evaluate(expression: Uint8Array, frame: ExpressionFrame): Location {
  return new Evaluation(expression, frame).run();
}

/** The register that an expression consists of; null for any other expression. */
export function singleRegister(expression: Uint8Array): number | null {
  const reader = new ByteReader('DWARF expression', expression);
  if (reader.atEnd) return null;
  const opcode = reader.u8();
  let register: number | null = null;
  if (opcode >= 0x50 && opcode <= 0x6f) register = opcode - 0x50;
  else if (opcode === 0x90) register = reader.uleb128();
  else if (opcode === 0xa5 || opcode === 0xf5) {
    // DW_OP_regval_type: the type does not matter to who asks for the register.
    register = reader.uleb128();
    reader.skipLeb128();
  }
  return reader.atEnd ? register : null;
}

export function untyped(value: number | bigint): StackValue {
  return { bits: BigInt.asUintN(32, BigInt(value)), size: ADDRESS_SIZE, isSigned: false };
}

class Evaluation {
  readonly #reader: ByteReader;
  readonly #stack: StackValue[] = [];
  readonly #pieces: { location: Location; size: number }[] = [];
  /** Set by what names a place instead of computing one. */
  #location: Location | null = null;

  constructor(
    expression: Uint8Array,
    private readonly frame: ExpressionFrame,
  ) {
    this.#reader = new ByteReader('DWARF expression', expression);
  }

  run(): Location {
    for (let steps = 0; !this.#reader.atEnd; steps++) {
      if (steps >= MAX_STEPS || this.#stack.length > MAX_STACK)
        throw new Malformed('a DWARF expression has no end');
      this.#step(this.#reader.u8());
    }
    if (this.#pieces.length > 0) return { kind: 'pieces', pieces: this.#pieces };
    return this.#current();
  }

  #current(): Location {
    if (this.#location !== null) return this.#location;
    return this.#stack.length === 0 ? { kind: 'nowhere' } : { kind: 'memory', address: this.#popAddress() };
  }

  #step(opcode: number): void {
    if (opcode >= 0x30 && opcode <= 0x4f) this.#push(untyped(opcode - 0x30));
    else if (opcode >= 0x50 && opcode <= 0x6f) this.#location = { kind: 'register', register: opcode - 0x50 };
    else if (opcode >= 0x70 && opcode <= 0x8f) this.#pushRegister(opcode - 0x70);
    else if (opcode >= 0x03 && opcode <= 0x11) this.#constant(opcode);
    else if (opcode >= 0x12 && opcode <= 0x17) this.#rearrange(opcode);
    else if (opcode >= 0x19 && opcode <= 0x2f) this.#arithmetic(opcode);
    else this.#other(opcode);
  }

  #constant(opcode: number): void {
    const reader = this.#reader;
    switch (opcode) {
      case 0x03: // DW_OP_addr
        this.#push(untyped(reader.u32()));
        return;
      case 0x06: // DW_OP_deref
        this.#push(untyped(this.#read(ADDRESS_SIZE)));
        return;
      case 0x08: // DW_OP_const1u
        this.#push(untyped(reader.u8()));
        return;
      case 0x09: // DW_OP_const1s
        this.#push(untyped(reader.i8()));
        return;
      case 0x0a: // DW_OP_const2u
        this.#push(untyped(reader.u16()));
        return;
      case 0x0b: // DW_OP_const2s
        this.#push(untyped(reader.i16()));
        return;
      case 0x0c: // DW_OP_const4u
      case 0x0d: // DW_OP_const4s
        this.#push(untyped(reader.u32()));
        return;
      case 0x0e: // DW_OP_const8u
      case 0x0f: // DW_OP_const8s
        this.#push(untyped(reader.u64()));
        return;
      case 0x10: // DW_OP_constu
        this.#push(untyped(reader.wideUleb128()));
        return;
      case 0x11: // DW_OP_consts
        this.#push(untyped(reader.wideSleb128()));
        return;
      default:
        throw unknown(opcode);
    }
  }

  #rearrange(opcode: number): void {
    switch (opcode) {
      case 0x12: // DW_OP_dup
        this.#push(this.#peek(0));
        return;
      case 0x13: // DW_OP_drop
        this.#pop();
        return;
      case 0x14: // DW_OP_over
        this.#push(this.#peek(1));
        return;
      case 0x15: // DW_OP_pick
        this.#push(this.#peek(this.#reader.u8()));
        return;
      case 0x16: {
        // DW_OP_swap
        const [top, second] = [this.#pop(), this.#pop()];
        this.#push(top);
        this.#push(second);
        return;
      }
      default: {
        // DW_OP_rot
        const [first, second, third] = [this.#pop(), this.#pop(), this.#pop()];
        this.#push(first);
        this.#push(third);
        this.#push(second);
        return;
      }
    }
  }

  #arithmetic(opcode: number): void {
    switch (opcode) {
      case 0x19: // DW_OP_abs
        this.#unary((value) => (value < 0n ? -value : value), true);
        return;
      case 0x1f: // DW_OP_neg
        this.#unary((value) => -value, true);
        return;
      case 0x20: // DW_OP_not
        this.#unary((value) => ~value, false);
        return;
      case 0x23: {
        // DW_OP_plus_uconst
        const addend = this.#reader.wideUleb128();
        this.#unary((value) => value + addend, false);
        return;
      }
      case 0x28: // DW_OP_bra
        this.#branch(this.#reader.i16(), this.#pop().bits !== 0n);
        return;
      case 0x2f: // DW_OP_skip
        this.#branch(this.#reader.i16(), true);
        return;
      default:
        this.#binary(opcode);
        return;
    }
  }

  #binary(opcode: number): void {
    const right = this.#pop();
    const left = this.#pop();
    const unsigned = [left.bits, right.bits] as const;
    const signed = [signedValue(left), signedValue(right)] as const;
    const [a, b] = left.isSigned ? signed : unsigned;
    const result = (value: bigint) => this.#push(withBits(left, value));
    const truth = (value: boolean) => this.#push(untyped(value ? 1 : 0));
    switch (opcode) {
      case 0x1a: // DW_OP_and
        result(a & b);
        return;
      case 0x1b: // DW_OP_div, signed for untyped values
        if (signed[1] === 0n) throw new ValueError('Division by zero');
        result(left.size === ADDRESS_SIZE || left.isSigned ? signed[0] / signed[1] : a / b);
        return;
      case 0x1c: // DW_OP_minus
        result(a - b);
        return;
      case 0x1d: // DW_OP_mod
        if (b === 0n) throw new ValueError('Division by zero');
        result(a % b);
        return;
      case 0x1e: // DW_OP_mul
        result(a * b);
        return;
      case 0x21: // DW_OP_or
        result(a | b);
        return;
      case 0x22: // DW_OP_plus
        result(a + b);
        return;
      case 0x24: // DW_OP_shl
        result(right.bits > 64n ? 0n : left.bits << right.bits);
        return;
      case 0x25: // DW_OP_shr
        result(right.bits > 64n ? 0n : left.bits >> right.bits);
        return;
      case 0x26: // DW_OP_shra
        result(signed[0] >> (right.bits > 64n ? 64n : right.bits));
        return;
      case 0x27: // DW_OP_xor
        result(a ^ b);
        return;
      case 0x29: // DW_OP_eq
        truth(left.bits === right.bits);
        return;
      case 0x2a: // DW_OP_ge; comparisons of untyped values are signed
        truth(signed[0] >= signed[1]);
        return;
      case 0x2b: // DW_OP_gt
        truth(signed[0] > signed[1]);
        return;
      case 0x2c: // DW_OP_le
        truth(signed[0] <= signed[1]);
        return;
      case 0x2d: // DW_OP_lt
        truth(signed[0] < signed[1]);
        return;
      case 0x2e: // DW_OP_ne
        truth(left.bits !== right.bits);
        return;
      default:
        throw unknown(opcode);
    }
  }

  #other(opcode: number): void {
    const reader = this.#reader;
    switch (opcode) {
      case 0x90: // DW_OP_regx
        this.#location = { kind: 'register', register: reader.uleb128() };
        return;
      case 0x91: // DW_OP_fbreg
        this.#push(untyped(this.frame.frameBase() + reader.sleb128()));
        return;
      case 0x92: // DW_OP_bregx
        this.#pushRegister(reader.uleb128());
        return;
      case 0x93: // DW_OP_piece
        this.#piece(reader.uleb128());
        return;
      case 0x94: // DW_OP_deref_size
        this.#push(untyped(this.#read(reader.u8())));
        return;
      case 0x96: // DW_OP_nop
        return;
      case 0x9c: // DW_OP_call_frame_cfa
        this.#push(untyped(this.frame.callFrameAddress()));
        return;
      case 0x9e: // DW_OP_implicit_value
        this.#location = { kind: 'bytes', bytes: reader.take(reader.uleb128()) };
        return;
      case 0x9f: {
        // DW_OP_stack_value
        const { bits, size } = this.#pop();
        this.#location = { kind: 'value', bits, size };
        return;
      }
      case 0xa0: // DW_OP_implicit_pointer
      case 0xf2: // DW_OP_GNU_implicit_pointer
        reader.u32();
        reader.skipLeb128();
        this.#location = { kind: 'implicitPointer' };
        return;
      case 0xa1: // DW_OP_addrx
      case 0xa2: // DW_OP_constx
      case 0xfb: // DW_OP_GNU_addr_index
      case 0xfc: {
        // DW_OP_GNU_const_index
        const { unit } = this.frame;
        const at = unit.bases.addresses + reader.uleb128() * 4;
        this.#push(untyped(unit.file.section('.debug_addr').slice('.debug_addr', at, 4).u32()));
        return;
      }
      case 0xa3: // DW_OP_entry_value
      case 0xf3: {
        // DW_OP_GNU_entry_value
        const register = singleRegister(reader.take(reader.uleb128()));
        if (register === null) throw NO_ENTRY_VALUE;
        this.#push(this.frame.entryValue(register));
        return;
      }
      case 0xa4: // DW_OP_const_type
      case 0xf4: {
        const type = this.#baseType(reader.uleb128());
        const bytes = reader.take(reader.u8());
        this.#push(withBits(type, littleEndian(bytes)));
        return;
      }
      case 0xa5: // DW_OP_regval_type
      case 0xf5: {
        const value = this.frame.register(reader.uleb128());
        this.#push(withBits(this.#baseType(reader.uleb128()), BigInt(value)));
        return;
      }
      case 0xa6: // DW_OP_deref_type
      case 0xf6: {
        const size = reader.u8();
        const type = this.#baseType(reader.uleb128());
        this.#push(withBits(type, this.#read(size)));
        return;
      }
      case 0xa8: // DW_OP_convert
      case 0xf7: {
        const type = this.#baseType(reader.uleb128());
        this.#push(withBits(type, signedOrNot(this.#pop())));
        return;
      }
      case 0xa9: // DW_OP_reinterpret
      case 0xf9:
        this.#push(withBits(this.#baseType(reader.uleb128()), this.#pop().bits));
        return;
      default:
        throw unknown(opcode);
    }
  }

  /** §2.6.1.2: what was described last makes up the next bytes. */
  #piece(size: number): void {
    this.#pieces.push({ location: this.#current(), size });
    this.#location = null;
    if (this.#pieces.length > MAX_STACK) throw new Malformed('a DWARF expression has too many pieces');
  }

  #pushRegister(register: number): void {
    const offset = this.#reader.sleb128();
    this.#push(untyped(this.frame.register(register) + offset));
  }

  #branch(distance: number, isTaken: boolean): void {
    if (isTaken) this.#reader.seek(this.#reader.position + distance);
  }

  #unary(compute: (value: bigint) => bigint, isSigned: boolean): void {
    const value = this.#pop();
    this.#push(withBits(value, compute(isSigned ? signedValue(value) : value.bits)));
  }

  #read(size: number): bigint {
    return littleEndian(this.frame.readMemory(this.#popAddress(), size));
  }

  /** Offset 0 stands for the untyped type. */
  #baseType(offset: number): StackValue {
    if (offset === 0) return untyped(0);
    const { unit } = this.frame;
    const type = unit.entries.at(unit.offset + offset);
    const encoding = type === null ? null : constantAttribute(type, AT.encoding);
    const size = type === null ? null : constantAttribute(type, AT.byte_size);
    if (encoding === null || size === null || size > 16 || encoding === FLOAT_ENCODING) {
      throw new Malformed('a DWARF expression computes with a type that is not supported');
    }
    return { bits: 0n, size, isSigned: SIGNED_ENCODINGS.has(encoding) };
  }

  #push(value: StackValue): void {
    this.#stack.push(value);
  }

  #pop(): StackValue {
    const value = this.#stack.pop();
    if (value === undefined)
      throw new Malformed('a DWARF expression takes more from its stack than it put there');
    return value;
  }

  #popAddress(): number {
    return Number(BigInt.asUintN(32, this.#pop().bits));
  }

  #peek(index: number): StackValue {
    const value = this.#stack.at(-1 - index);
    if (value === undefined) throw new Malformed('a DWARF expression looks below its stack');
    return value;
  }
}

function withBits({ size, isSigned }: StackValue, bits: bigint): StackValue {
  return { bits: BigInt.asUintN(size * 8, bits), size, isSigned };
}

function signedValue({ bits, size }: StackValue): bigint {
  return BigInt.asIntN(size * 8, bits);
}

function signedOrNot(value: StackValue): bigint {
  return value.isSigned ? signedValue(value) : value.bits;
}

export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return value;
}

function unknown(opcode: number): Malformed {
  return new Malformed(`DWARF operation 0x${opcode.toString(16)} is not supported`);
}
