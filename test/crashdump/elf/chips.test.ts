import { describe, expect, it } from 'vitest';
import { openFirmware, readFirmwareIdentity } from '../../../src/crashdump/index.js';
import { ALLOC, anElf, EXEC, MACHINE, type SectionSpec, symbolSections } from './builders.js';

const section = (name: string, address: number, size = 16): SectionSpec => ({
  name,
  address,
  bytes: new Uint8Array(size),
  flags: ALLOC | EXEC,
});

async function chipsOf(sections: SectionSpec[], machine: number = MACHINE.riscv): Promise<readonly string[]> {
  const elf = anElf({ machine, sections });
  const { chips, chip } = await readFirmwareIdentity(
    async (offset, length) => elf.subarray(offset, offset + length),
    elf.length,
  );
  expect(openFirmware(elf).chips).toEqual(chips);
  expect(chip).toBe(chips.length === 1 ? chips[0] : null);
  return chips;
}

/** Builds of ESP-IDF: where each chip's linker script puts code and data. */
const BY_ADDRESS: [string, number, SectionSpec[], string[]][] = [
  ['esp32', MACHINE.xtensa, [section('.iram0.text', 0x40080404)], ['esp32']],
  ['esp32s2', MACHINE.xtensa, [section('.iram0.text', 0x40024404)], ['esp32s2']],
  ['esp32s3', MACHINE.xtensa, [section('.iram0.text', 0x40374404)], ['esp32s3']],
  ['esp32s3 without RAM code', MACHINE.xtensa, [section('.flash.text', 0x42000020)], ['esp32s3']],
  ['esp32c3 by its data', MACHINE.riscv, [section('.dram0.data', 0x3fc89e00)], ['esp32c3']],
  ['esp32c3 or esp32c2', MACHINE.riscv, [section('.dram0.data', 0x3fca8000)], ['esp32c3', 'esp32c2']],
  ['esp32p4', MACHINE.riscv, [section('.iram0.text', 0x4ff00000)], ['esp32p4']],
  ['esp32s31', MACHINE.riscv, [section('.iram0.text', 0x2f000000)], ['esp32s31']],
  [
    'those with one address space',
    MACHINE.riscv,
    [section('.iram0.text', 0x40800000), section('.flash.text', 0x42000020)],
    ['esp32c6', 'esp32h2', 'esp32c61', 'esp32c5', 'esp32h21'],
  ],
  ['esp32c6 by the size of its RAM', MACHINE.riscv, [section('.iram0.text', 0x40870000)], ['esp32c6']],
  [
    'esp32h4 or a larger one',
    MACHINE.riscv,
    [section('.iram0.text', 0x40858000)],
    ['esp32c6', 'esp32c5', 'esp32h4'],
  ],
];

describe('the chips of a firmware', () => {
  it.each(BY_ADDRESS)('are by its addresses: %s', async (_, machine, sections, chips) => {
    expect(await chipsOf(sections, machine)).toEqual(chips);
  });

  it('are all of its processor when the addresses are those of none', async () => {
    expect(await chipsOf([section('.iram0.text', 0x10000000)], MACHINE.xtensa)).toEqual([
      'esp32',
      'esp32s2',
      'esp32s3',
    ]);
    expect((await chipsOf([section('.text', 0x40800000)])).length).toBe(10);
  });

  it.each([
    ['ESP32C6', 'esp32c6'],
    ['ESP32H21', 'esp32h21'],
    ['ESP32X9', 'esp32x9'],
  ])('are the one that its build names: %s', async (target, chip) => {
    const shared = section('.iram0.text', 0x40800000);
    const named = (name: string) => [
      shared,
      ...symbolSections(1, [{ name, address: 0, type: 0, section: 0xfff1 }]),
    ];

    expect(await chipsOf(named(`IDF_TARGET_${target}`))).toEqual([chip]);
    expect(await chipsOf(named(`NO_IDF_TARGET_${target}`))).toContain('esp32h2');
  });
});
