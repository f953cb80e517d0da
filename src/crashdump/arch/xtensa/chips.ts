import type { ChipDescription } from '../architecture.js';

/** Address ranges: ESP-IDF soc.h of each chip. */
export const XTENSA_CHIPS: readonly ChipDescription[] = [
  {
    id: 0,
    name: 'esp32',
    cores: 2,
    rom: [0x40000000, 0x40070000],
    instructionRam: [0x40080000, 0x400c0000],
    flash: [0x400d0000, 0x40400000],
    dataRam: [0x3ffae000, 0x40000000],
  },
  {
    id: 2,
    name: 'esp32s2',
    cores: 1,
    rom: [0x40000000, 0x40020000],
    instructionRam: [0x40020000, 0x40072000],
    flash: [0x40080000, 0x40800000],
    dataRam: [0x3ffb0000, 0x40000000],
  },
  {
    id: 9,
    name: 'esp32s3',
    cores: 2,
    rom: [0x40000000, 0x40060000],
    instructionRam: [0x40370000, 0x403e0000],
    flash: [0x42000000, 0x44000000],
    dataRam: [0x3fc88000, 0x3fd00000],
  },
];
