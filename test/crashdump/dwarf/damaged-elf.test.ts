import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnreadableFirmware } from '../../../src/crashdump/elf/elf-file.js';
import type { FirmwareImage } from '../../../src/crashdump/firmware/firmware-image.js';
import { openFirmware } from '../../../src/crashdump/firmware/open-firmware.js';
import { askEverything } from './hostile-firmware.js';

describe.each([
  ['dwarf/dwarf5', 150],
  ['dwarf/dwarf5-64', 40],
  ['unwind/exceptions', 40],
  ['unwind/split', 40],
])('real ELFs, damaged: %s', (name, numRuns) => {
  const whole = readFileSync(new URL(`../../fixtures/${name}.elf`, import.meta.url));

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
      { numRuns },
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
