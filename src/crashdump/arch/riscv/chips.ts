import type { ChipDescription } from '../architecture.js';

export const RISCV_CHIPS: readonly ChipDescription[] = [
  { id: 5, name: 'esp32c3', cores: 1, rom: [0x40000000, 0x40060000], instructionRam: null },
  { id: 12, name: 'esp32c2', cores: 1, rom: [0x40000000, 0x40090000], instructionRam: null },
  { id: 13, name: 'esp32c6', cores: 1, rom: [0x40000000, 0x40050000], instructionRam: null },
  { id: 16, name: 'esp32h2', cores: 1, rom: [0x40000000, 0x40020000], instructionRam: null },
  {
    id: 18,
    name: 'esp32p4',
    cores: 2,
    rom: [0x4fc00000, 0x4fc20000],
    instructionRam: [0x4ff00000, 0x4ffc0000],
  },
  { id: 20, name: 'esp32c61', cores: 1, rom: [0x40000000, 0x40040000], instructionRam: null },
  { id: 23, name: 'esp32c5', cores: 1, rom: [0x40000000, 0x40050000], instructionRam: null },
  { id: 25, name: 'esp32h21', cores: 1, rom: [0x40000000, 0x40020000], instructionRam: null },
  { id: 28, name: 'esp32h4', cores: 2, rom: [0x40000000, 0x40050000], instructionRam: null },
  { id: 32, name: 'esp32s31', cores: 2, rom: [0x2f800000, 0x2f850000], instructionRam: null },
];
