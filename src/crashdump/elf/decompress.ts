/** Compressed sections (System V ABI, "Section Compression"): zlib, and zstd where the system has it. */
import { ByteReader } from '../bytes.js';
import { type Decompress, decompressZstd, inflate } from '../system.js';

const ELFCOMPRESS_ZLIB = 1;
const ELFCOMPRESS_ZSTD = 2;
/** ch_type, ch_size, ch_addralign. */
export const COMPRESSION_HEADER_SIZE = 12;

const DECOMPRESSORS: ReadonlyMap<number, Decompress> = new Map([
  [ELFCOMPRESS_ZLIB, inflate],
  ...(decompressZstd === null ? [] : ([[ELFCOMPRESS_ZSTD, decompressZstd]] as const)),
]);

/** How many bytes the compressed sections of a file may still take. */
export interface Inflation {
  bytesLeft: number;
}

/** Null when it can be decompressed here; otherwise the name of the compression. */
export function unknownCompression(header: ByteReader): string | null {
  const type = header.u32();
  if (DECOMPRESSORS.has(type)) return null;
  return type === ELFCOMPRESS_ZSTD ? 'zstd' : `method ${type}`;
}

/** Contents of a section with SHF_COMPRESSED; null when they cannot be decompressed. */
export function decompressSection(raw: ByteReader, inflation: Inflation): ByteReader | null {
  if (raw.length < COMPRESSION_HEADER_SIZE) return null;
  const decompress = DECOMPRESSORS.get(raw.u32());
  const size = raw.u32();
  raw.skip(4);
  return decompress === undefined ? null : run(decompress, raw, size, inflation);
}

/** The older format of GNU tools (`.zdebug_…`): "ZLIB", then the size as eight big-endian bytes. */
export function decompressOldSection(raw: ByteReader, inflation: Inflation): ByteReader | null {
  if (raw.length < COMPRESSION_HEADER_SIZE || raw.u32() !== 0x42494c5a) return null;
  const size = Buffer.from(raw.take(8)).readBigUInt64BE();
  return size > BigInt(inflation.bytesLeft) ? null : run(inflate, raw, Number(size), inflation);
}

function run(decompress: Decompress, raw: ByteReader, size: number, inflation: Inflation): ByteReader | null {
  if (size === 0 || size > inflation.bytesLeft) return null;
  inflation.bytesLeft -= size;
  try {
    return new ByteReader(raw.what, decompress(raw.take(raw.remaining), size));
  } catch {
    return null;
  }
}
