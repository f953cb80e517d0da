/**
 * What the reader takes from the system that runs it, besides `Buffer`: here from Node.js. The reader for browsers is
 * bundled with `system.browser.ts` in place of this file, which has the same functions.
 */
import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';

export const crc32: (bytes: Uint8Array) => number = zlib.crc32;

export function sha256(content: Uint8Array | string): Uint8Array {
  return createHash('sha256').update(content).digest();
}

/** Throws for bytes that are damaged, or that become more than `maxLength` bytes. */
export type Decompress = (bytes: Uint8Array, maxLength: number) => Uint8Array;

export const inflate: Decompress = (bytes, maxLength) =>
  zlib.inflateSync(bytes, { maxOutputLength: maxLength });

/** Null where there is none: Node.js has it from 22.15 on. */
export const decompressZstd: Decompress | null = zstdOfNode();

/** Looked up by name, because the types of Node.js 20 do not have it. */
function zstdOfNode(): Decompress | null {
  const decompress: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  if (typeof decompress !== 'function') return null;
  return (bytes, maxLength) => new Uint8Array(decompress(bytes, { maxOutputLength: maxLength }));
}
