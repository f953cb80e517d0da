import { describe, expect, it } from 'vitest';
import { cpuClock } from '../../support/cpu-clock.js';
import { abbreviation, concat, cString, uleb, unit, words } from '../elf/builders.js';
import {
  AT,
  abbreviations,
  askEverything,
  CODE,
  debug,
  FORM,
  firmwareWith,
  functionEntry,
  TAG,
  UNIT_HEADER,
  unitEntry,
} from './hostile-firmware.js';

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

    const spentMs = cpuClock();
    askEverything(
      firmwareWith([
        { name: '.debug_info', bytes: concat(...units) },
        { name: '.debug_abbrev', bytes: table },
      ]),
    );

    expect(spentMs()).toBeLessThan(20_000);
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
