import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type FirmwareImage, Malformed, openFirmware, UnreadableFirmware } from '../crashdump/index.js';

/** By bytes of ELF: some thirty usual firmwares, or a few with the largest debug information. */
const MAX_CACHED_BYTES = 128 * 1024 * 1024;

/**
 * Firmware images by the SHA-256 of their ELF: transfer files have a new name each time, and of one build there come
 * many dumps. An ELF that is larger than the cache is opened all the same, and not kept.
 */
export function createFirmwareCache({ maxBytes = MAX_CACHED_BYTES } = {}) {
  const images = new LRUCache<string, FirmwareImage>({ maxSize: maxBytes });

  /** An ELF that cannot be opened comes back as it is: the reader goes without it, and says what is wrong with it. */
  return function open(elf: Uint8Array): FirmwareImage | Uint8Array {
    const sha256 = createHash('sha256').update(elf).digest('hex');
    const known = images.get(sha256);
    if (known !== undefined) return known;
    try {
      const image = openFirmware(elf);
      images.set(sha256, image, { size: elf.length });
      return image;
    } catch (error) {
      if (error instanceof UnreadableFirmware || error instanceof Malformed) return elf;
      throw error;
    }
  };
}
