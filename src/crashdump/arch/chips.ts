import type { Architecture, ChipDescription } from './architecture.js';
import { ARCHITECTURES } from './architectures.js';

export interface Chip extends ChipDescription {
  architecture: Architecture;
}

const CHIPS: readonly Chip[] = ARCHITECTURES.flatMap((architecture) =>
  architecture.chips.map((chip) => ({ ...chip, architecture })),
);
const BY_ID: ReadonlyMap<number, Chip> = new Map(CHIPS.map((chip) => [chip.id, chip]));

/** @param id the chip id of the dump's version word */
export function chipById(id: number): Chip | null {
  return BY_ID.get(id) ?? null;
}

/** Accepts usual spellings: "esp32s3", "ESP32-S3". */
export function chipByName(name: string): Chip | null {
  const plain = name.toLowerCase().replaceAll(/[-_ ]/g, '');
  return CHIPS.find((chip) => chip.name === plain) ?? null;
}

/** Finds the chip by the addresses of the firmware's linker script; null where several chips share them. */
export function chipOfFirmware(
  architecture: Architecture,
  sections: readonly { name: string; address: number; size: number }[],
): Chip | null {
  const ram = sections.find(({ name, size }) => name === '.iram0.text' && size > 0);
  if (ram === undefined) return null;
  const found = CHIPS.find(
    (chip) => chip.architecture === architecture && isWithin(chip.instructionRam, ram.address),
  );
  return found ?? null;
}

/** For an unknown chip, the address range that most chips have. */
export function isRomAddress(chip: Chip | null, address: number): boolean {
  return isWithin(chip?.rom ?? [0x40000000, 0x40020000], address);
}

function isWithin(range: readonly [number, number] | null, address: number): boolean {
  return range !== null && address >= range[0] && address < range[1];
}
