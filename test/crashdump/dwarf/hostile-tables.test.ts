import { describe, expect, it } from 'vitest';
import { abbreviation, concat, cString, halves, uleb, unit, withLength, words } from '../elf/builders.js';
import {
  AT,
  askEverything,
  CODE,
  FORM,
  firmwareWith,
  functionAbbreviation,
  functionEntry,
  TAG,
} from './hostile-firmware.js';

describe('lines', () => {
  const withLines = abbreviation(
    1,
    TAG.unit,
    true,
    [AT.low_pc, FORM.addr],
    [AT.high_pc, FORM.data4],
    [AT.stmt_list, FORM.sec_offset],
  );
  const lines = (bytes: Uint8Array) =>
    firmwareWith([
      {
        name: '.debug_info',
        bytes: unit(concat(uleb(1), words(CODE, 0x1000, 0), functionEntry, Uint8Array.of(0, 0))),
      },
      { name: '.debug_abbrev', bytes: concat(withLines, functionAbbreviation, Uint8Array.of(0)) },
      { name: '.debug_line', bytes },
    ]);
  /** A DWARF 4 line program: one file, `main.c`. */
  const program = (opcodes: Uint8Array, { minimum = 1, lineRange = 14, opcodeBase = 13 } = {}) => {
    const counts = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1].slice(0, Math.max(opcodeBase - 1, 0));
    const rest = concat(
      Uint8Array.of(minimum, 1, 1, 0xfb, lineRange, opcodeBase, ...counts, 0),
      cString('main.c'),
      Uint8Array.of(0, 0, 0, 0),
    );
    return withLength(concat(halves(4), words(rest.length), rest, opcodes));
  };
  const setAddress = concat(Uint8Array.of(0, 5, 2), words(CODE));
  const endSequence = Uint8Array.of(0, 1, 1);

  it('are read from the plainest program there is', () => {
    const image = lines(program(concat(setAddress, Uint8Array.of(3, 9, 1, 2, 16), endSequence)));

    expect(image.framesAt(CODE + 4)).toMatchObject([{ function: 'work', file: 'main.c', line: 10 }]);
    expect(image.framesAt(CODE + 16)).toMatchObject([{ function: 'work', file: null, line: null }]);
  });

  it.each([
    ['has a line_range of 0', program(setAddress, { lineRange: 0 })],
    ['has an opcode_base of 0', program(setAddress, { opcodeBase: 0 })],
    ['ends within a LEB128', program(concat(setAddress, Uint8Array.of(2, 0x80, 0x80)))],
    ['claims more than there is', concat(words(0x7fffffff), halves(4))],
    ['is of an unknown version', withLength(concat(halves(77), words(0)))],
    ['is not there', new Uint8Array(0)],
  ])('cost only themselves when their program %s', (_, bytes) => {
    const image = lines(bytes);

    expect(image.framesAt(CODE + 4)).toMatchObject([{ function: 'work', line: null }]);
    expect(image.notes().join()).toContain('line table');
  });

  it('keep what came before the place where a program breaks off', () => {
    const image = lines(
      program(concat(setAddress, Uint8Array.of(3, 9, 1, 2, 16), endSequence, Uint8Array.of(2, 0x80))),
    );

    expect(image.framesAt(CODE + 4)).toMatchObject([{ line: 10 }]);
  });

  it('stay where they are when instructions have no length', () => {
    askEverything(
      lines(program(concat(setAddress, Uint8Array.of(2, 200, 1, 1), endSequence), { minimum: 0 })),
    );
  });

  it('of millions of rows take bounded memory', () => {
    const image = lines(program(concat(setAddress, new Uint8Array(5_000_000).fill(33), endSequence)));

    askEverything(image);
    expect(image.notes().join()).toContain('breaks off');
  });
});

describe('call frames', () => {
  const cie = withLength(concat(words(0xffffffff), Uint8Array.of(1, 0, 1, 0x7c, 1, 0x0d, 2, 0)));
  const fde = (instructions: Uint8Array, pointer = 0) =>
    withLength(concat(words(pointer, CODE, 0x100), instructions));
  const frames = (...parts: Uint8Array[]) =>
    firmwareWith([{ name: '.debug_frame', bytes: concat(...parts) }]);

  it('take GAS at its word: a CFA register without an offset means offset 0', () => {
    expect(frames(cie, fde(new Uint8Array(0))).cfiAt(CODE)).toMatchObject({
      cfa: { register: 2, offset: 0 },
    });
  });

  it('follow the instructions up to the pc and no further', () => {
    // advance 2, CFA offset 16, advance 4, ra at CFA − 4
    const image = frames(cie, fde(Uint8Array.of(0x42, 0x0e, 16, 0x44, 0x81, 1)));

    expect(image.cfiAt(CODE)?.cfa.offset).toBe(0);
    expect(image.cfiAt(CODE + 2)?.cfa.offset).toBe(16);
    expect(image.cfiAt(CODE + 2)?.rules.get(1)).toBeUndefined();
    expect(image.cfiAt(CODE + 6)?.rules.get(1)).toEqual({ kind: 'offset', offset: -4 });
    expect(image.cfiAt(CODE + 0x100)).toBeNull();
  });

  it.each([
    ['whose CIE is missing', [fde(new Uint8Array(0), 0x1000)]],
    ['that remember states without end', [cie, fde(new Uint8Array(1_000_000).fill(0x0a))]],
    ['that restore what was never remembered', [cie, fde(Uint8Array.of(0x0b))]],
    ['with an unknown instruction', [cie, fde(Uint8Array.of(0x3f))]],
    ['with an unterminated number', [cie, fde(Uint8Array.of(0x0e, 0x80))]],
    ['of length zero', [words(0, 0, 0, 0)]],
    ['that claim more than there is', [cie, concat(words(0x7fffffff), words(0, CODE, 0x100))]],
  ])('are absent for descriptions %s', (_, parts) => {
    expect(frames(...parts).cfiAt(CODE)).toBeNull();
  });
});
