import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FirmwareImage, openFirmware, UnreadableFirmware } from '../crashdump/index.js';
import { messageOf } from '../errors.js';

/** Espressif names its ROM ELFs `esp32c3_rev3_rom.elf`; the number is major × 100 + minor. */
const FILE_NAME = /^(esp32[a-z0-9]*)_rev(\d+)_rom\.elf$/;

/** The mask ROM's ELF for a chip and its revision; null when there is none. @throws UnreadableFirmware */
export type RomLibrary = (chip: string, chipRevision: number | null) => FirmwareImage | null;

export class UnreadableRomFolder extends Error {
  override readonly name = 'UnreadableRomFolder';
}

/**
 * The ROM ELFs of the folder `ESP_ROM_ELF_DIR`; without the setting there is none for any chip.
 * @throws UnreadableRomFolder with one clear sentence
 */
export function openRomLibrary(folder: string | null): RomLibrary {
  if (folder === null) return () => null;
  try {
    return createRomLibrary(folder);
  } catch (error) {
    const reason = messageOf(error);
    throw new UnreadableRomFolder(`ESP_ROM_ELF_DIR: the folder ${folder} cannot be read: ${reason}`);
  }
}

/**
 * The ROM ELFs of a folder (`ESP_ROM_ELF_DIR`), opened at their first use and cached. For a chip revision without its
 * own ELF, the ELF of the nearest earlier revision is used, because mask ROMs change rarely.
 * @throws the file system's error at once when the folder cannot be read; UnreadableFirmware with the file's name, when
 *   a file is used that cannot be read
 */
export function createRomLibrary(directory: string): RomLibrary {
  const files = readdirSync(directory).flatMap((file) => {
    const [, chip, revision] = FILE_NAME.exec(file) ?? [];
    return chip === undefined ? [] : [{ file, chip, revision: Number(revision) }];
  });
  files.sort((a, b) => b.revision - a.revision);
  const opened = new Map<string, FirmwareImage>();

  return function findRom(chip, chipRevision) {
    const ofChip = files.filter((candidate) => candidate.chip === chip);
    const chosen = ofChip.find(({ revision }) => revision <= (chipRevision ?? 0)) ?? ofChip.at(-1);
    if (!chosen) return null;
    const image = opened.get(chosen.file) ?? openRom(chosen.file);
    opened.set(chosen.file, image);
    return image;
  };

  function openRom(file: string): FirmwareImage {
    try {
      return openFirmware(readFileSync(join(directory, file)));
    } catch (error) {
      throw new UnreadableFirmware(`${file}: ${messageOf(error)}`);
    }
  }
}
