import { createRomLibrary } from './rom-library.js';

export type RomLibrary = ReturnType<typeof createRomLibrary>;

export class UnreadableRomFolder extends Error {
  override readonly name = 'UnreadableRomFolder';
}

/**
 * The ROM ELFs of the folder `ESP_ROM_ELF_DIR`; without a folder there is none for any chip.
 * @throws UnreadableRomFolder with one clear sentence
 */
export function openRomLibrary(folder: string | null): RomLibrary {
  if (folder === null) return () => null;
  try {
    return createRomLibrary(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnreadableRomFolder(`ESP_ROM_ELF_DIR: the folder ${folder} cannot be read: ${reason}`);
  }
}
