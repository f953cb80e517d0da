/** The functions of `system.ts` for browsers, whose own are asynchronous or missing. */
import { sha256 as hash } from '@noble/hashes/sha2.js';
import { unzlibSync } from 'fflate';
import { Decompress as ZstdStream } from 'fzstd';
import type { Decompress } from './system.js';

export function sha256(content: Uint8Array | string): Uint8Array {
  return hash(typeof content === 'string' ? new TextEncoder().encode(content) : content);
}

/** fflate drops what does not fit into its room, and does not look at the checksum. */
export const inflate: Decompress = (bytes, maxLength) => {
  const content = unzlibSync(bytes, { out: new Uint8Array(maxLength + 1) });
  if (content.length > maxLength) throw new Error('more bytes than there should be');
  const stored = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0);
  if (adler32(content) !== stored) throw new Error('the checksum does not fit');
  return content;
};

export const decompressZstd: Decompress | null = (bytes, maxLength) => {
  const content = new Uint8Array(maxLength);
  let length = 0;
  const stream = new ZstdStream((chunk) => {
    // Throws when it does not fit.
    content.set(chunk, length);
    length += chunk.length;
  });
  stream.push(bytes, true);
  return content.subarray(0, length);
};

/** RFC 1950, section 8.2. */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

export function crc32(bytes: Uint8Array): number {
  let value = 0xffff_ffff;
  for (const byte of bytes) value = (value >>> 8) ^ (CRC_TABLE[(value ^ byte) & 0xff] ?? 0);
  return ~value >>> 0;
}
