import type { Architecture, ChipDescription } from './architecture.js';
import { ARCHITECTURES } from './architectures.js';

export interface Chip extends ChipDescription {
  architecture: Architecture;
}

const CHIPS: readonly Chip[] = ARCHITECTURES.flatMap((architecture) =>
  architecture.chips.map((chip) => ({ ...chip, architecture })),
);
const BY_ID: ReadonlyMap<number, Chip> = new Map(CHIPS.map((chip) => [chip.id, chip]));

export const CHIP_NAMES: readonly string[] = CHIPS.map(({ name }) => name);

/** @param id the chip id of the dump's version word */
export function chipById(id: number): Chip | null {
  return BY_ID.get(id) ?? null;
}

/** Accepts usual spellings: "esp32s3", "ESP32-S3". */
export function chipByName(name: string): Chip | null {
  const plain = name.toLowerCase().replaceAll(/[-_ ]/g, '');
  return CHIPS.find((chip) => chip.name === plain) ?? null;
}

/** Output sections of ESP-IDF's linker scripts that every chip has, and where they are linked to. */
const PLACES: Readonly<Record<string, 'instructionRam' | 'flash' | 'dataRam'>> = {
  '.iram0.vectors': 'instructionRam',
  '.iram0.text': 'instructionRam',
  '.flash.text': 'flash',
  '.dram0.data': 'dataRam',
};

/**
 * The chips that a firmware can be for, by name: by the chip that its build names, otherwise by the addresses of its
 * sections, which some chips share. All of the architecture when nothing is known.
 *
 * @param target from `targetInSymbols`
 */
export function chipsOfFirmware(
  architecture: Architecture,
  sections: readonly { name: string; address: number; size: number }[],
  target: string | null,
): string[] {
  if (target !== null) return [target];
  const all = CHIPS.filter((chip) => chip.architecture === architecture);
  const possible = all.filter((chip) =>
    sections.every(({ name, address, size }) => {
      const place = PLACES[name];
      if (place === undefined || size === 0) return true;
      return isWithin(chip[place], address) && isWithin(chip[place], address + size - 1);
    }),
  );
  return (possible.length === 0 ? all : possible).map(({ name }) => name);
}

/** For an unknown chip, the address range that most chips have. */
export function isRomAddress(chip: Chip | null, address: number): boolean {
  return isWithin(chip?.rom ?? [0x40000000, 0x40020000], address);
}

/** Whether some chip can have code there: in its ROM, its RAM or its flash. */
export function isCodeAddress(address: number): boolean {
  return CHIPS.some(
    ({ rom, instructionRam, flash }) =>
      isWithin(rom, address) || isWithin(instructionRam, address) || isWithin(flash, address),
  );
}

function isWithin(range: readonly [number, number], address: number): boolean {
  return address >= range[0] && address < range[1];
}
