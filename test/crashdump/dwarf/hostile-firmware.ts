/** Firmware ELFs whose debug information is broken on purpose, and everything that can be asked of them. */
import { expect } from 'vitest';
import type { FirmwareImage } from '../../../src/crashdump/firmware/firmware-image.js';
import { openFirmware } from '../../../src/crashdump/firmware/open-firmware.js';
import {
  ALLOC,
  abbreviation,
  anElf,
  concat,
  cString,
  EXEC,
  type SectionSpec,
  uleb,
  unit,
  words,
} from '../elf/builders.js';

export const CODE = 0x42000000;
export const AT = {
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
export const FORM = {
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
export const TAG = { unit: 0x11, block: 0x0b, function: 0x2e, typedef: 0x16, structure: 0x13, member: 0x0d };
/** What a unit's header takes, up to its first entry. */
export const UNIT_HEADER = 11;

export function firmwareWith(sections: SectionSpec[]): FirmwareImage {
  const text = { name: '.text', bytes: new Uint8Array(0x1000), flags: ALLOC | EXEC, address: CODE };
  return openFirmware(anElf({ sections: [text, ...sections] }));
}

/** Asks everything that leads into the debug information. */
export function askEverything(image: FirmwareImage): void {
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
  image.lacks();
  image.structMember('tskTaskControlBlock', 'pxStack');
  expect(image.notes().length).toBeLessThanOrEqual(20);
}

export const unitAbbreviation = abbreviation(
  1,
  TAG.unit,
  true,
  [AT.low_pc, FORM.addr],
  [AT.high_pc, FORM.data4],
);
export const functionAbbreviation = abbreviation(
  2,
  TAG.function,
  true,
  [AT.name, FORM.string],
  [AT.low_pc, FORM.addr],
  [AT.high_pc, FORM.data4],
);
export const abbreviations = (...more: Uint8Array[]) =>
  concat(unitAbbreviation, functionAbbreviation, ...more, Uint8Array.of(0));
export const unitEntry = concat(uleb(1), words(CODE, 0x1000));
export const functionEntry = concat(uleb(2), cString('work'), words(CODE, 0x100));

export function debug(entries: Uint8Array, abbrev: Uint8Array, ...more: SectionSpec[]): FirmwareImage {
  return firmwareWith([
    { name: '.debug_info', bytes: unit(entries) },
    { name: '.debug_abbrev', bytes: abbrev },
    ...more,
  ]);
}
