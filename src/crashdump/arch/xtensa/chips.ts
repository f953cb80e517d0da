import type { ChipDescription } from '../architecture.js';

export const XTENSA_CHIPS: readonly ChipDescription[] = [
  { id: 0, name: 'esp32', cores: 2, rom: [0x40000000, 0x40070000], instructionRam: [0x40080000, 0x400a0000] },
  {
    id: 2,
    name: 'esp32s2',
    cores: 1,
    rom: [0x40000000, 0x40020000],
    instructionRam: [0x40020000, 0x40072000],
  },
  {
    id: 9,
    name: 'esp32s3',
    cores: 2,
    rom: [0x40000000, 0x40060000],
    instructionRam: [0x40370000, 0x403e0000],
  },
];
