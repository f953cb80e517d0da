/** Evaluates DWARF expressions (DWARF 5 §2.5, §2.6) to a place or a value. */
import { ByteReader, Malformed } from '../bytes.js';
import { AT } from './constants.js';
import { constantAttribute, sizeAttribute } from './dies.js';
import type { Unit } from './entries.js';
import { type EntryPlace, entryPlaceOf } from './entry-place.js';
import { ExpressionStack } from './expression-stack.js';
import {
  ADDRESS_SIZE,
  asInteger,
  combine,
  constantValue,
  littleEndian,
  type StackValue,
  signedOrNot,
  untyped,
  withBits,
} from './stack-value.js';
import { readOffset } from './unit-length.js';
import { NO_ENTRY_VALUE, unknownOperation } from './value-errors.js';

/** Where a value is. A value in several places consists of pieces. */
export type Location =
  | { kind: 'memory'; address: number }
  | { kind: 'register'; register: number }
  /** In no place, but known. */
  | { kind: 'value'; value: StackValue }
  | { kind: 'bytes'; bytes: Uint8Array }
  /** A pointer to an object that has no address. */
  | { kind: 'implicitPointer' }
  | { kind: 'nowhere' }
  | { kind: 'pieces'; pieces: readonly { location: Location; size: number }[] };

/** What an expression reads from the frame in which it is evaluated. */
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
  /** The value at the function's entry. @throws ValueError, NoEntryValue */
  entryValue(place: EntryPlace): StackValue;
}

const MAX_STEPS = 10_000;
const MAX_STACK = 1_024;
/** DW_ATE_signed, DW_ATE_signed_char. */
const SIGNED_ENCODINGS: ReadonlySet<number> = new Set([0x05, 0x06]);
const FLOAT_ENCODING = 0x04;

/** @throws Malformed, ValueError, NoEntryValue */
export function evaluate(expression: Uint8Array, frame: ExpressionFrame): Location {
  return new Evaluation(expression, frame).run();
}

class Evaluation {
  readonly #reader: ByteReader;
  readonly #stack = new ExpressionStack();
  readonly #pieces: { location: Location; size: number }[] = [];
  /** Set by operations that name a place instead of computing one. */
  #location: Location | null = null;

  constructor(
    expression: Uint8Array,
    private readonly frame: ExpressionFrame,
  ) {
    this.#reader = new ByteReader('DWARF expression', expression);
  }

  run(): Location {
    for (let steps = 0; !this.#reader.atEnd; steps++) {
      if (steps >= MAX_STEPS || this.#stack.depth > MAX_STACK)
        throw new Malformed('a DWARF expression has no end');
      this.#step(this.#reader.u8());
    }
    if (this.#pieces.length > 0) return { kind: 'pieces', pieces: this.#pieces };
    return this.#current();
  }

  #current(): Location {
    if (this.#location !== null) return this.#location;
    return this.#stack.depth === 0
      ? { kind: 'nowhere' }
      : { kind: 'memory', address: this.#stack.popAddress() };
  }

  #step(opcode: number): void {
    if (opcode >= 0x30 && opcode <= 0x4f) this.#stack.push(constantValue(opcode - 0x30));
    else if (opcode >= 0x50 && opcode <= 0x6f) this.#location = { kind: 'register', register: opcode - 0x50 };
    else if (opcode >= 0x70 && opcode <= 0x8f) this.#pushRegister(opcode - 0x70);
    else if (opcode >= 0x03 && opcode <= 0x11) this.#constant(opcode);
    else if (opcode >= 0x12 && opcode <= 0x17) this.#stack.rearrange(opcode, this.#reader);
    else if (opcode >= 0x19 && opcode <= 0x2f) this.#arithmetic(opcode);
    else this.#other(opcode);
  }

  #constant(opcode: number): void {
    const reader = this.#reader;
    switch (opcode) {
      case 0x03: // DW_OP_addr
        this.#stack.push(untyped(reader.u32()));
        return;
      case 0x06: // DW_OP_deref
        this.#stack.push(untyped(this.#read(ADDRESS_SIZE)));
        return;
      case 0x08: // DW_OP_const1u
        this.#stack.push(constantValue(reader.u8()));
        return;
      case 0x09: // DW_OP_const1s
        this.#stack.push(constantValue(reader.i8()));
        return;
      case 0x0a: // DW_OP_const2u
        this.#stack.push(constantValue(reader.u16()));
        return;
      case 0x0b: // DW_OP_const2s
        this.#stack.push(constantValue(reader.i16()));
        return;
      case 0x0c: // DW_OP_const4u
        this.#stack.push(constantValue(reader.u32()));
        return;
      case 0x0d: // DW_OP_const4s
        this.#stack.push(constantValue(reader.i32()));
        return;
      case 0x0e: // DW_OP_const8u
      case 0x0f: // DW_OP_const8s
        this.#stack.push(constantValue(reader.u64()));
        return;
      case 0x10: // DW_OP_constu
        this.#stack.push(constantValue(reader.wideUleb128()));
        return;
      case 0x11: // DW_OP_consts
        this.#stack.push(constantValue(reader.wideSleb128()));
        return;
      default:
        throw unknownOperation(opcode);
    }
  }

  #arithmetic(opcode: number): void {
    switch (opcode) {
      case 0x19: // DW_OP_abs
        this.#stack.unary((value) => (value < 0n ? -value : value), true);
        return;
      case 0x1f: // DW_OP_neg
        this.#stack.unary((value) => -value, true);
        return;
      case 0x20: // DW_OP_not
        this.#stack.unary((value) => ~value, false);
        return;
      case 0x23: {
        // DW_OP_plus_uconst
        const addend = this.#reader.wideUleb128();
        this.#stack.unary((value) => value + addend, false);
        return;
      }
      case 0x28: // DW_OP_bra
        this.#branch(this.#reader.i16(), this.#stack.pop().bits !== 0n);
        return;
      case 0x2f: // DW_OP_skip
        this.#branch(this.#reader.i16(), true);
        return;
      default: {
        const right = this.#stack.pop();
        this.#stack.push(combine(opcode, this.#stack.pop(), right));
        return;
      }
    }
  }

  #other(opcode: number): void {
    const reader = this.#reader;
    switch (opcode) {
      case 0x90: // DW_OP_regx
        this.#location = { kind: 'register', register: reader.uleb128() };
        return;
      case 0x91: // DW_OP_fbreg
        this.#stack.push(untyped(this.frame.frameBase() + reader.sleb128()));
        return;
      case 0x92: // DW_OP_bregx
        this.#pushRegister(reader.uleb128());
        return;
      case 0x93: // DW_OP_piece
        this.#piece(reader.uleb128());
        return;
      case 0x94: // DW_OP_deref_size
        this.#stack.push(untyped(this.#read(reader.u8())));
        return;
      case 0x96: // DW_OP_nop
        return;
      case 0x9c: // DW_OP_call_frame_cfa
        this.#stack.push(untyped(this.frame.callFrameAddress()));
        return;
      case 0x9e: // DW_OP_implicit_value
        this.#location = { kind: 'bytes', bytes: reader.take(reader.uleb128()) };
        return;
      case 0x9f: {
        // DW_OP_stack_value
        this.#location = { kind: 'value', value: this.#stack.pop() };
        return;
      }
      case 0xa0: // DW_OP_implicit_pointer
      case 0xf2: // DW_OP_GNU_implicit_pointer
        readOffset(reader, this.frame.unit.isWide);
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
        this.#stack.push(untyped(unit.file.section('.debug_addr').slice('.debug_addr', at, 4).u32()));
        return;
      }
      case 0xa3: // DW_OP_entry_value
      case 0xf3: {
        // DW_OP_GNU_entry_value
        const place = entryPlaceOf(reader.take(reader.uleb128()));
        if (place === null) throw NO_ENTRY_VALUE;
        this.#stack.push(this.frame.entryValue(place));
        return;
      }
      case 0xfa: // DW_OP_GNU_parameter_ref: a parameter that the compiler has optimised away
        this.#stack.push(
          this.frame.entryValue({ kind: 'parameter', offset: this.frame.unit.offset + reader.u32() }),
        );
        return;
      case 0xa4: // DW_OP_const_type
      case 0xf4: {
        const type = this.#baseType(reader.uleb128());
        const bytes = reader.take(reader.u8());
        this.#stack.push(withBits(type, littleEndian(bytes)));
        return;
      }
      case 0xa5: // DW_OP_regval_type
      case 0xf5: {
        const value = this.frame.register(reader.uleb128());
        const type = this.#baseType(reader.uleb128());
        if (type.size > ADDRESS_SIZE) throw new Malformed('a register holds a part of the value only');
        this.#stack.push(withBits(type, BigInt(value)));
        return;
      }
      case 0xa6: // DW_OP_deref_type
      case 0xf6: {
        const size = reader.u8();
        const type = this.#baseType(reader.uleb128());
        this.#stack.push(withBits(type, this.#read(size)));
        return;
      }
      case 0xa8: // DW_OP_convert
      case 0xf7: {
        const type = asInteger(this.#baseType(reader.uleb128()));
        const value = asInteger(this.#stack.pop());
        this.#stack.push(withBits(type, value.exact ?? signedOrNot(value)));
        return;
      }
      case 0xa9: // DW_OP_reinterpret
      case 0xf9:
        this.#stack.push(withBits(this.#baseType(reader.uleb128()), this.#stack.pop().bits));
        return;
      default:
        throw unknownOperation(opcode);
    }
  }

  /** §2.6.1.2: the last description applies to the next bytes. */
  #piece(size: number): void {
    this.#pieces.push({ location: this.#current(), size });
    this.#location = null;
    if (this.#pieces.length > MAX_STACK) throw new Malformed('a DWARF expression has too many pieces');
  }

  #pushRegister(register: number): void {
    const offset = this.#reader.sleb128();
    this.#stack.push(untyped(this.frame.register(register) + offset));
  }

  #branch(distance: number, isTaken: boolean): void {
    if (isTaken) this.#reader.seek(this.#reader.position + distance);
  }

  #read(size: number): bigint {
    return littleEndian(this.frame.readMemory(this.#stack.popAddress(), size));
  }

  /** Offset 0 is the untyped type. */
  #baseType(offset: number): StackValue {
    if (offset === 0) return untyped(0);
    const { unit } = this.frame;
    const type = unit.entries.at(unit.offset + offset);
    const encoding = type === null ? null : constantAttribute(type, AT.encoding);
    const size = type === null ? null : sizeAttribute(type);
    if (encoding === null || size === null || size > 16) {
      throw new Malformed('a DWARF expression computes with a type that is not supported');
    }
    return { bits: 0n, size, isSigned: SIGNED_ENCODINGS.has(encoding), isFloat: encoding === FLOAT_ENCODING };
  }
}
