import { describe, expect, it } from 'vitest';
import { abbreviation, concat, cString, uleb, words } from '../elf/builders.js';
import {
  AT,
  abbreviations,
  CODE,
  debug,
  FORM,
  functionEntry,
  UNIT_HEADER,
  unitEntry,
} from './hostile-firmware.js';

const OP = {
  lit5: 0x35,
  constu: 0x10,
  consts: 0x11,
  const8u: 0x0e,
  breg10: 0x7a,
  breg11: 0x7b,
  reg10: 0x5a,
  reg11: 0x5b,
  piece: 0x93,
};
const MORE = {
  stackValue: 0x9f,
  convert: 0xa8,
  shl: 0x24,
  or: 0x21,
  plus: 0x22,
  regvalType: 0xa5,
  implicitPointer: 0xa0,
};
const { lit5, constu, consts, const8u, breg10, breg11, reg10, reg11, piece } = OP;
const { stackValue, convert, shl, or, plus, regvalType, implicitPointer } = MORE;

const BASE_TYPE = 0x24;
const PARAMETER = 0x05;
const ENCODING = { signed: 0x05, unsigned: 0x07 };
const types = {
  int: { size: 4, encoding: ENCODING.signed },
  long: { size: 8, encoding: ENCODING.signed },
  unsignedLong: { size: 8, encoding: ENCODING.unsigned },
};

const baseType = abbreviation(
  4,
  BASE_TYPE,
  false,
  [AT.name, FORM.string],
  [AT.byte_size, 0x0b],
  [0x3e, 0x0b],
);
const parameter = abbreviation(
  3,
  PARAMETER,
  false,
  [AT.name, FORM.string],
  [AT.type, FORM.ref4],
  [AT.location, FORM.exprloc],
);
/** Offset in the unit of the type that expressions convert to: it is the first entry below the unit. */
const TYPE_AT = UNIT_HEADER + unitEntry.length;

/** What is shown of an argument of the type, whose place is the expression. */
function argument(type: keyof typeof types, ...expression: number[]): string | undefined {
  const { size, encoding } = types[type];
  const typeEntry = concat(uleb(4), cString('type'), Uint8Array.of(size, encoding));
  const place = concat(uleb(expression.length), Uint8Array.from(expression));
  const argumentEntry = concat(uleb(3), cString('value'), words(TYPE_AT), place);
  const entries = concat(unitEntry, typeEntry, functionEntry, argumentEntry, Uint8Array.of(0, 0));
  const firmware = debug(entries, abbreviations(baseType, parameter));
  const [frame] = firmware.framesAt(CODE, {
    pc: CODE,
    registers: new Map([
      [10, 0xfffffffe],
      [11, 7],
    ]),
    cfa: null,
    caller: null,
    readMemory: (address, length) => (address >= 7 && address + length <= 9 ? new Uint8Array(length) : null),
  });
  expect(firmware.notes()).toEqual([]);
  return frame?.arguments[0]?.value;
}

describe('values of expressions', () => {
  it.each<[string, keyof typeof types, number[], string]>([
    ['a register', 'int', [reg10], '-2'],
    ['two registers', 'long', [reg10, piece, 4, reg11, piece, 4], '34359738366'],
    ['the half that is known', 'long', [reg11, piece, 4], '<optimized out>'],
    ['a half in no place', 'long', [piece, 4, reg11, piece, 4], '<optimized out>'],
    ['a register that is too short for its piece', 'long', [reg11, piece, 8], '<optimized out>'],
    ['a constant that is shorter than its piece', 'long', [lit5, stackValue, piece, 8], '5'],
    ['a negative constant', 'long', [consts, 0x7f, stackValue], '-1'],
    ['a negative constant in a piece', 'long', [consts, 0x7e, stackValue, piece, 8], '-2'],
    [
      'a constant of 64 bits',
      'unsignedLong',
      [constu, 0x85, 0x80, 0x80, 0x80, 0xf0, 0x00, stackValue],
      '30064771077',
    ],
    [
      'the same in a fixed size',
      'unsignedLong',
      [const8u, 5, 0, 0, 0, 7, 0, 0, 0, stackValue],
      '30064771077',
    ],
    ['a sum of 32 bits', 'long', [breg10, 1, stackValue], '<optimized out>'],
    ['a sum of 32 bits', 'int', [breg10, 1, stackValue], '-1'],
    ['a conversion', 'long', [lit5, convert, TYPE_AT, stackValue], '5'],
    [
      'plain operands beside one with a type',
      'long',
      [constu, 7, convert, TYPE_AT, constu, 32, shl, lit5, or, stackValue],
      '30064771077',
    ],
    [
      'a plain operand in front of one with a type',
      'long',
      [lit5, constu, 7, convert, TYPE_AT, plus, stackValue],
      '12',
    ],
    ['a register of a type that is wider', 'long', [regvalType, 11, TYPE_AT, stackValue], '<optimized out>'],
    ['an object that has no address', 'int', [implicitPointer, 0, 0, 0, 0, 0], '<synthetic pointer>'],
    [
      'memory that is there in part',
      'int',
      [breg11, 0],
      '<error reading variable: Cannot access memory at address 0x9>',
    ],
  ])('%s (%s)', (_, type, expression, value) => {
    expect(argument(type, ...expression)).toBe(value);
  });
});
