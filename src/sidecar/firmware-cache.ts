import { createHash } from 'node:crypto';
import { readFileSync, readSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { type FirmwareImage, Malformed, openFirmware, UnreadableFirmware } from '../crashdump/index.js';

/** Bytes of ELF: enough for dozens of usual firmware images, or a few with the largest debug information. */
const MAX_CACHED_BYTES = 128 * 1024 * 1024;

/**
 * Firmware images by the SHA-256 of their ELF, because transfer files have a new name each time while one build has
 * many dumps. An ELF that is larger than the cache is opened, but not kept.
 */
export function createFirmwareCache({ maxBytes = MAX_CACHED_BYTES } = {}) {
  const images = new LRUCache<string, FirmwareImage>({ maxSize: maxBytes });

  /**
   * @param file descriptor of the ELF, positioned at its beginning
   * @returns the image; or the bytes of an ELF that cannot be opened, for which the reader reports the error
   */
  return function open(file: number): FirmwareImage | Uint8Array {
    const known = images.get(sha256Of(file));
    if (known !== undefined) return known;
    const elf = readFileSync(file);
    try {
      const image = openFirmware(elf);
      images.set(image.sha256, image, { size: elf.length });
      return image;
    } catch (error) {
      if (error instanceof UnreadableFirmware || error instanceof Malformed) return elf;
      throw error;
    }
  };
}

/** Most ELFs are cached: hashing in pieces avoids allocating a whole file. */
const chunk = Buffer.allocUnsafeSlow(256 * 1024);

function sha256Of(file: number): string {
  const hash = createHash('sha256');
  for (let position = 0; ; ) {
    const length = readSync(file, chunk, 0, chunk.length, position);
    if (length === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, length));
    position += length;
  }
}
