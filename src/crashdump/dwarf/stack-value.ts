/** Values on the stack of a DWARF expression (DWARF 5 §2.5.1.4), and the arithmetic on them. */
import { Malformed } from '../bytes.js';
import { unknownOperation, ValueError } from './value-errors.js';

/** Bits below the size; values of the generic type are addresses, four bytes without a sign. */
export interface StackValue {
  readonly bits: bigint;
  readonly size: number;
  readonly isSigned: boolean;
  /** Floating-point values are passed through; nothing here computes with them. */
  readonly isFloat?: boolean;
  /** Of no type: it takes the type of the value that it is combined with. */
  readonly isGeneric?: boolean;
  /** A constant as it was written, perhaps wider than an address, or negative. */
  readonly exact?: bigint;
}

export const ADDRESS_SIZE = 4;

export function untyped(value: number | bigint): StackValue {
  return { bits: BigInt.asUintN(32, BigInt(value)), size: ADDRESS_SIZE, isSigned: false, isGeneric: true };
}

export function constantValue(value: number | bigint): StackValue {
  return { ...untyped(value), exact: BigInt(value) };
}

/**
 * The value in `size` bytes: with its sign where it has a type. Null where its upper bytes are unknown, because it is
 * of the generic type and was computed.
 */
export function bitsIn(value: StackValue, size: number): bigint | null {
  const { bits, exact, isGeneric } = value;
  if (size <= value.size) return BigInt.asUintN(size * 8, bits);
  if (value.isFloat === true) return null;
  if (isGeneric !== true) return BigInt.asUintN(size * 8, signedOrNot(value));
  return exact === undefined ? null : BigInt.asUintN(size * 8, exact);
}

/** A value of the same type. */
export function withBits(type: StackValue, bits: bigint): StackValue {
  const { exact, ...same } = type;
  return { ...same, bits: BigInt.asUintN(type.size * 8, bits) };
}

/** @throws Malformed */
export function asInteger(value: StackValue): StackValue {
  if (value.isFloat === true) throw new Malformed('a DWARF expression computes with floating-point numbers');
  return value;
}

export function signedValue({ bits, size }: StackValue): bigint {
  return BigInt.asIntN(size * 8, bits);
}

export function signedOrNot(value: StackValue): bigint {
  return value.isSigned ? signedValue(value) : value.bits;
}

export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return value;
}

const DW_OP_shl = 0x24;
const DW_OP_shra = 0x26;

/** A plain operand, such as a constant, takes the type of the other one. @throws Malformed */
function ofOneType(first: StackValue, second: StackValue): [StackValue, StackValue] {
  const [left, right] = [asInteger(first), asInteger(second)];
  if (left.isGeneric === right.isGeneric && left.size === right.size) return [left, right];
  if (left.isGeneric === true) return [withBits(right, left.exact ?? left.bits), right];
  if (right.isGeneric === true) return [left, withBits(left, right.exact ?? right.bits)];
  throw new Malformed('a DWARF expression computes with values of two types');
}

/**
 * The operations of two operands.
 * @throws ValueError for a division by zero, Malformed for any other opcode
 */
export function combine(opcode: number, first: StackValue, second: StackValue): StackValue {
  const isShift = opcode >= DW_OP_shl && opcode <= DW_OP_shra;
  const [left, right] = isShift ? [asInteger(first), asInteger(second)] : ofOneType(first, second);
  const unsigned = [left.bits, right.bits] as const;
  const signed = [signedValue(left), signedValue(right)] as const;
  const [a, b] = left.isSigned ? signed : unsigned;
  const result = (value: bigint) => withBits(left, value);
  // DWARF 5 §2.5.1.4: division and comparison take the generic type for signed.
  const isSigned = left.isGeneric === true || left.isSigned;
  const [x, y] = isSigned ? signed : unsigned;
  const truth = (value: boolean) => untyped(value ? 1 : 0);
  switch (opcode) {
    case 0x1a: // DW_OP_and
      return result(a & b);
    case 0x1b: // DW_OP_div
      if (signed[1] === 0n) throw new ValueError('Division by zero');
      return result(isSigned ? signed[0] / signed[1] : a / b);
    case 0x1c: // DW_OP_minus
      return result(a - b);
    case 0x1d: // DW_OP_mod
      if (b === 0n) throw new ValueError('Division by zero');
      return result(a % b);
    case 0x1e: // DW_OP_mul
      return result(a * b);
    case 0x21: // DW_OP_or
      return result(a | b);
    case 0x22: // DW_OP_plus
      return result(a + b);
    case 0x24: // DW_OP_shl
      return result(right.bits > 64n ? 0n : left.bits << right.bits);
    case 0x25: // DW_OP_shr
      return result(right.bits > 64n ? 0n : left.bits >> right.bits);
    case 0x26: // DW_OP_shra
      return result(signed[0] >> (right.bits > 64n ? 64n : right.bits));
    case 0x27: // DW_OP_xor
      return result(a ^ b);
    case 0x29: // DW_OP_eq
      return truth(left.bits === right.bits);
    case 0x2a: // DW_OP_ge
      return truth(x >= y);
    case 0x2b: // DW_OP_gt
      return truth(x > y);
    case 0x2c: // DW_OP_le
      return truth(x <= y);
    case 0x2d: // DW_OP_lt
      return truth(x < y);
    case 0x2e: // DW_OP_ne
      return truth(left.bits !== right.bits);
    default:
      throw unknownOperation(opcode);
  }
}
