import { ByteReader } from '../bytes.js';
import type { ElfSection } from './elf-file.js';

/** A part of a section that a search needs. */
export interface SectionRequest {
  section: ElfSection;
  offset: number;
  length: number;
  /** Bytes of the file; otherwise of the decompressed contents. */
  isRaw: boolean;
}

/**
 * Asks for parts of an ELF one after the other, so that one search serves a file in memory and one that is read in
 * pieces. It is answered with fewer bytes than it asked for at a section's end, and with none where nothing can be read.
 */
export type SectionSearch<T> = Generator<SectionRequest, T, ByteReader>;

/** Up to `length` bytes at `offset`, to answer a request. */
export function partOf(whole: ByteReader | null, { offset, length }: SectionRequest): ByteReader {
  if (whole === null || offset >= whole.length) return new ByteReader('section', new Uint8Array(0));
  return whole.slice(whole.what, offset, Math.min(length, whole.length - offset));
}
