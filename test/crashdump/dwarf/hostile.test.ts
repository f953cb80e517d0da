import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnreadableFirmware } from '../../../src/crashdump/elf/elf-file.js';
import type { FirmwareImage } from '../../../src/crashdump/firmware/firmware-image.js';
import { openFirmware } from '../../../src/crashdump/firmware/open-firmware.js';
import {
  ALLOC,
  abbreviation,
  anElf,
  concat,
  cString,
  EXEC,
  halves,
  type SectionSpec,
  uleb,
  unit,
  withLength,
  words,
} from '../elf/builders.js';

const CODE = 0x42000000;
const AT = {
  sibling: 0x01,
  location: 0x02,
  name: 0x03,
  byte_size: 0x0b,
  stmt_list: 0x10,
  low_pc: 0x11,
  high_pc: 0x12,
  origin: 0x31,
  ranges: 0x55,
  type: 0x49,
};
const FORM = {
  addr: 0x01,
  data4: 0x06,
  string: 0x08,
  sdata: 0x0d,
  indirect: 0x16,
  sec_offset: 0x17,
  ref4: 0x13,
  strp: 0x0e,
  exprloc: 0x18,
};
const TAG = { unit: 0x11, block: 0x0b, function: 0x2e, typedef: 0x16, structure: 0x13, member: 0x0d };
/** What a unit's header takes, up to its first entry. */
const UNIT_HEADER = 11;

function firmwareWith(sections: SectionSpec[]): FirmwareImage {
  const text = { name: '.text', bytes: new Uint8Array(0x1000), flags: ALLOC | EXEC, address: CODE };
  return openFirmware(anElf({ sections: [text, ...sections] }));
}

/** Asks everything that leads into the debug information. */
function askEverything(image: FirmwareImage): void {
  for (const pc of [CODE, CODE + 1, CODE + 0x80, CODE + 0xfff]) {
    const frames = image.framesAt(pc, {
      pc,
      registers: new Map([
        [2, 0x3fc90000],
        [10, 1],
      ]),
      cfa: 0x3fc90010,
      caller: { pc: CODE + 0x10, registers: new Map() },
      readMemory: () => null,
    });
    expect(Array.isArray(frames)).toBe(true);
    image.cfiAt(pc);
    image.symbolAt(pc);
    image.tailCallsBetween(pc, CODE + 0x10);
  }
  image.structMember('tskTaskControlBlock', 'pxStack');
  expect(image.notes().length).toBeLessThanOrEqual(20);
}

const unitAbbreviation = abbreviation(1, TAG.unit, true, [AT.low_pc, FORM.addr], [AT.high_pc, FORM.data4]);
const functionAbbreviation = abbreviation(
  2,
  TAG.function,
  true,
  [AT.name, FORM.string],
  [AT.low_pc, FORM.addr],
  [AT.high_pc, FORM.data4],
);
const abbreviations = (...more: Uint8Array[]) =>
  concat(unitAbbreviation, functionAbbreviation, ...more, Uint8Array.of(0));
const unitEntry = concat(uleb(1), words(CODE, 0x1000));
const functionEntry = concat(uleb(2), cString('work'), words(CODE, 0x100));

function debug(entries: Uint8Array, abbrev: Uint8Array, ...more: SectionSpec[]): FirmwareImage {
  return firmwareWith([
    { name: '.debug_info', bytes: unit(entries) },
    { name: '.debug_abbrev', bytes: abbrev },
    ...more,
  ]);
}

describe('debugging entries', () => {
  it('are found in the plainest unit there is', () => {
    const image = debug(concat(unitEntry, functionEntry, Uint8Array.of(0, 0)), abbreviations());

    expect(image.framesAt(CODE + 4)).toMatchObject([
      { function: 'work', file: null, line: null, inlined: false },
    ]);
  });

  it('that refer to themselves end in no name', () => {
    const self = abbreviation(
      3,
      TAG.function,
      false,
      [AT.origin, FORM.ref4],
      [AT.low_pc, FORM.addr],
      [AT.high_pc, FORM.data4],
    );
    const at = UNIT_HEADER + unitEntry.length;
    const image = debug(
      concat(unitEntry, uleb(3), words(at, CODE, 0x100), Uint8Array.of(0)),
      abbreviations(self),
    );

    expect(image.framesAt(CODE)).toMatchObject([{ function: null }]);
  });

  it('whose siblings lie behind them are walked over one by one', () => {
    const backwards = abbreviation(3, TAG.structure, true, [AT.sibling, FORM.ref4]);
    const entries = concat(
      unitEntry,
      uleb(3),
      words(UNIT_HEADER),
      Uint8Array.of(0),
      functionEntry,
      Uint8Array.of(0, 0),
    );

    const image = debug(entries, abbreviations(backwards));

    expect(image.framesAt(CODE)).toMatchObject([{ function: 'work' }]);
    askEverything(image);
  });

  it('may nest a million deep', () => {
    const nested = abbreviation(3, TAG.block, true);
    const image = debug(
      concat(unitEntry, functionEntry, new Uint8Array(1_000_000).fill(3)),
      abbreviations(nested),
    );

    expect(image.framesAt(CODE)).toMatchObject([{ function: 'work' }]);
    askEverything(image);
  });

  it('of an unknown kind cost what comes behind them', () => {
    const image = debug(concat(unitEntry, functionEntry, Uint8Array.of(0), uleb(99)), abbreviations());

    expect(image.framesAt(CODE)).toMatchObject([{ function: 'work' }]);
    expect(image.notes().join()).toContain('no abbreviation 99');
  });

  it.each([
    ['an unknown form', [[AT.name, 0x7f]]],
    ['a form that refers to itself', [[AT.name, FORM.indirect]]],
  ] as const)('with %s cost what comes behind them', (_, pairs) => {
    const strange = abbreviation(
      3,
      TAG.typedef,
      false,
      ...pairs.map(([name, form]): [number, number] => [name, form]),
    );
    const entries = concat(
      unitEntry,
      functionEntry,
      Uint8Array.of(0),
      uleb(3),
      new Uint8Array(50).fill(FORM.indirect),
    );

    const image = debug(entries, abbreviations(strange));

    expect(image.framesAt(CODE)).toMatchObject([{ function: 'work' }]);
    expect(image.notes()).not.toEqual([]);
  });

  it('with a million attributes cost their unit', () => {
    const pairs = Array.from({ length: 1_000_000 }, (): [number, number] => [0x2007, 0x19]);
    const wide = concat(
      uleb(3),
      uleb(TAG.typedef),
      Uint8Array.of(0),
      Uint8Array.from(pairs.flatMap(() => [0x87, 0x40, 0x19])),
      Uint8Array.of(0, 0),
    );

    const image = debug(concat(unitEntry, uleb(3), functionEntry, Uint8Array.of(0, 0)), abbreviations(wide));

    askEverything(image);
    expect(image.notes().join()).toContain('too many attributes');
  });

  it('of many units that all lead through one long table run out of budget', () => {
    const long = concat(
      ...Array.from({ length: 20_000 }, (_, index) => abbreviation(index + 10, TAG.typedef, false)),
    );
    const table = concat(long, abbreviations());
    const units = Array.from({ length: 5_000 }, (_, index) => unit(unitEntry, index));

    const started = performance.now();
    askEverything(
      firmwareWith([
        { name: '.debug_info', bytes: concat(...units) },
        { name: '.debug_abbrev', bytes: table },
      ]),
    );

    expect(performance.now() - started).toBeLessThan(20_000);
  });

  // Found by the fuzzer, run 51410 of seed 20261125.
  it('of types with fewer than no bytes end in a value that is not there', () => {
    const parameter = abbreviation(
      3,
      0x05,
      false,
      [AT.name, FORM.string],
      [AT.location, FORM.exprloc],
      [AT.type, FORM.ref4],
    );
    const struct = abbreviation(4, TAG.structure, false, [AT.byte_size, FORM.sdata]);
    const before = concat(unitEntry, functionEntry);
    const parameterLength = 1 + 2 + 2 + 4;
    const type = UNIT_HEADER + before.length + parameterLength + 1;
    const inRegister10 = Uint8Array.of(1, 0x5a);
    const entries = concat(
      before,
      concat(uleb(3), cString('p'), inRegister10, words(type), Uint8Array.of(0)),
      concat(uleb(4), Uint8Array.of(0x70), Uint8Array.of(0)),
    );

    const [frame] = debug(entries, abbreviations(parameter, struct)).framesAt(CODE + 4, {
      pc: CODE + 4,
      registers: new Map([[10, 1]]),
      cfa: null,
      caller: null,
      readMemory: () => null,
    });

    expect(frame?.arguments).toMatchObject([{ name: 'p' }]);
  });

  it('with structs that hold themselves end in no member', () => {
    const struct = abbreviation(3, TAG.structure, true, [AT.name, FORM.string]);
    const member = abbreviation(4, TAG.member, false, [AT.type, FORM.ref4]);
    const at = UNIT_HEADER + unitEntry.length;
    const entries = concat(unitEntry, uleb(3), cString('loop'), uleb(4), words(at), Uint8Array.of(0, 0));

    expect(debug(entries, abbreviations(struct, member)).structMember('loop', 'x')).toBeNull();
  });
});

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

describe('ranges', () => {
  const ranged = abbreviation(3, TAG.function, false, [AT.name, FORM.string], [AT.ranges, FORM.sec_offset]);
  const entries = concat(
    unitEntry,
    functionEntry,
    Uint8Array.of(0),
    uleb(3),
    cString('split'),
    words(0),
    Uint8Array.of(0),
  );

  it.each([
    ['have no end', words(...Array.from({ length: 2_000 }, () => [1, 2]).flat())],
    ['run backwards', words(9, 4, 0, 0)],
    ['are not there', new Uint8Array(0)],
  ])('that %s cost only their function', (_, bytes) => {
    const image = debug(entries, abbreviations(ranged), { name: '.debug_ranges', bytes });

    expect(image.framesAt(CODE)).toMatchObject([{ function: 'work' }]);
    askEverything(image);
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

describe('real ELFs, damaged', () => {
  const whole = readFileSync(new URL('../../fixtures/dwarf/dwarf5.elf', import.meta.url));

  it('are read or refused wherever they are cut', () => {
    for (let length = 0; length < whole.length; length += 97) askOrRefuse(whole.subarray(0, length));
  });

  it('are read or refused whatever bytes of them are wrong', () => {
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        askOrRefuse(bytes);
      }),
      { numRuns: 150 },
    );
  });

  function askOrRefuse(bytes: Uint8Array): void {
    let image: FirmwareImage;
    try {
      image = openFirmware(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(UnreadableFirmware);
      return;
    }
    for (let pc = 0x42000020; pc < 0x42000260; pc += 22) askAt(image, pc);
    askEverything(image);
  }

  function askAt(image: FirmwareImage, pc: number): void {
    const registers = new Map(Array.from({ length: 32 }, (_, index) => [index, 0x3fc90000 + index]));
    const caller = { pc: 0x420000f0, registers };
    image.framesAt(pc, {
      pc,
      registers,
      cfa: 0x3fc90000,
      caller,
      readMemory: (_, length) => new Uint8Array(length),
    });
  }
});
