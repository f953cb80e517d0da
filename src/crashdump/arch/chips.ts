export type Architecture = 'xtensa' | 'riscv';

export interface Chip {
  name: string;
  architecture: Architecture;
  /** Where the mask ROM's code lies: [first address, one past the last]. */
  rom: readonly [number, number];
}

/** By the chip id of the dump's version word (ESP-IDF `esp_chip_model_t`; ROM ranges: SOC_IROM_MASK_LOW/HIGH). */
const CHIPS: ReadonlyMap<number, Chip> = new Map([
  [0, { name: 'esp32', architecture: 'xtensa', rom: [0x40000000, 0x40070000] }],
  [2, { name: 'esp32s2', architecture: 'xtensa', rom: [0x40000000, 0x40020000] }],
  [5, { name: 'esp32c3', architecture: 'riscv', rom: [0x40000000, 0x40060000] }],
  [9, { name: 'esp32s3', architecture: 'xtensa', rom: [0x40000000, 0x40060000] }],
  [12, { name: 'esp32c2', architecture: 'riscv', rom: [0x40000000, 0x40090000] }],
  [13, { name: 'esp32c6', architecture: 'riscv', rom: [0x40000000, 0x40050000] }],
  [16, { name: 'esp32h2', architecture: 'riscv', rom: [0x40000000, 0x40020000] }],
  [18, { name: 'esp32p4', architecture: 'riscv', rom: [0x4fc00000, 0x4fc20000] }],
  [20, { name: 'esp32c61', architecture: 'riscv', rom: [0x40000000, 0x40040000] }],
  [23, { name: 'esp32c5', architecture: 'riscv', rom: [0x40000000, 0x40050000] }],
  [25, { name: 'esp32h21', architecture: 'riscv', rom: [0x40000000, 0x40020000] }],
  [28, { name: 'esp32h4', architecture: 'riscv', rom: [0x40000000, 0x40050000] }],
  [32, { name: 'esp32s31', architecture: 'riscv', rom: [0x2f800000, 0x2f850000] }],
]);

export function chipById(id: number): Chip | null {
  return CHIPS.get(id) ?? null;
}

/** Accepts what people write: "esp32s3", "ESP32-S3". */
export function chipByName(name: string): Chip | null {
  const plain = name.toLowerCase().replaceAll(/[-_ ]/g, '');
  for (const chip of CHIPS.values()) if (chip.name === plain) return chip;
  return null;
}

/** Without a known chip, the ROM is taken to lie where most chips have it. */
export function isRomAddress(chip: Chip | null, address: number): boolean {
  const [low, high] = chip?.rom ?? [0x40000000, 0x40020000];
  return address >= low && address < high;
}

/**
 * Addresses that the device makes up for stacks that it found broken: COREDUMP_FAKE_STACK_START is 0x20000000, on
 * chips that have memory there 0x70000000.
 */
export function isPlaceholder(address: number): boolean {
  return (address >= 0x20000000 && address < 0x2f000000) || (address >= 0x70000000 && address < 0x80000000);
}
