import { ByteReader } from '../bytes.js';
import { crc32, sha256 } from '../system.js';

/** What a version of the core dump header says of the bytes behind it. */
export interface Layout {
  format: string;
  payload: 'elf' | 'bin';
  headerSize: number;
  checksum: 'crc32' | 'sha256';
  hasSegmentCount: boolean;
  chipRevisionOffset: number | null;
}

/** The versions of ESP-IDF esp_core_dump_types.h (`core_dump_header_t`). */
const LAYOUTS: ReadonlyMap<number, Layout> = new Map([
  [0x0001, layout('BIN v1', 'bin', 16, 'crc32')],
  [0x0002, layout('BIN v2', 'bin', 20, 'crc32')],
  [0x0003, layout('BIN v2.1', 'bin', 24, 'crc32')],
  [0x0100, layout('ELF CRC32 v2', 'elf', 20, 'crc32')],
  [0x0101, layout('ELF SHA256 v2', 'elf', 20, 'sha256')],
  [0x0102, layout('ELF CRC32 v2.1', 'elf', 24, 'crc32')],
  [0x0103, layout('ELF SHA256 v2.1', 'elf', 24, 'sha256')],
  [0x0104, layout('ELF SHA256 v2.2', 'elf', 12, 'sha256')],
]);

export const CHECKSUM_SIZE = { crc32: 4, sha256: 32 } as const;

/** The layout of a header by its version word; undefined for other bytes. */
export function knownLayout(bytes: Uint8Array): Layout | undefined {
  if (bytes.length < 8) return undefined;
  const totalLength = wordAt(new ByteReader('core dump header', bytes), 0);
  const versionWord = wordAt(new ByteReader('core dump header', bytes), 4);
  // Chip ids fit into a byte so far; a larger one with a plausible version is a coincidence (text, encrypted bytes).
  if (versionWord >>> 24 !== 0 || totalLength === 0) return undefined;
  return LAYOUTS.get(versionWord & 0xffff);
}

/** IDF up to 3.0 wrote it in front of and behind the dump in flash (COREDUMP_FLASH_MAGIC_START). */
export const FLASH_MAGIC = 0xe32c04ed;

/** A known header, or an ELF soon: the beginning of a dump, not something else. */
export function startsLikeDump(bytes: Uint8Array): boolean {
  if (knownLayout(bytes) !== undefined) return true;
  if (bytes.length < 52) return false;
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 128));
  return head.includes('\x7fELF', 0, 'latin1') || head.readUInt32LE(0) === FLASH_MAGIC;
}

/** @returns absent when the dump has none, or when it is cut */
export function verifyChecksum(
  bytes: Uint8Array,
  known: Layout,
  totalLength: number,
): 'ok' | 'bad' | 'absent' {
  if (bytes.length < totalLength) return 'absent';
  if (matchesChecksum(bytes, known, totalLength)) return 'ok';
  return known.format === 'BIN v1' && endsWithTasks(bytes.subarray(0, totalLength)) ? 'absent' : 'bad';
}

/**
 * The dump with its whole checksum: encoders that pad nothing lose the last byte or two, and the others prove the dump
 * as well. As it is, when more is missing or they are not right.
 */
export function withWholeChecksum(bytes: Uint8Array): Uint8Array {
  const known = knownLayout(bytes);
  if (!known) return bytes;
  const totalLength = wordAt(new ByteReader('core dump header', bytes), 0);
  const end = totalLength - CHECKSUM_SIZE[known.checksum];
  const stored = bytes.subarray(end, totalLength);
  if (bytes.length >= totalLength || stored.length < FEWEST_CHECKSUM_BYTES) return bytes;
  const covered = bytes.subarray(0, end);
  const right = computed(covered, known);
  return stored.every((byte, index) => byte === right[index]) ? Buffer.concat([covered, right]) : bytes;
}

function matchesChecksum(bytes: Uint8Array, known: Layout, totalLength: number): boolean {
  const end = totalLength - CHECKSUM_SIZE[known.checksum];
  const right = computed(bytes.subarray(0, end), known);
  return bytes.subarray(end, totalLength).every((byte, index) => byte === right[index]);
}

/** So few of them match by chance only once in millions. */
const FEWEST_CHECKSUM_BYTES = 3;

function computed(covered: Uint8Array, { checksum }: Layout): Uint8Array {
  if (checksum === 'sha256') return sha256(covered);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(crc32(covered));
  return bytes;
}

/** IDF ≤ 4.0 appends no checksum to a v1 dump that it prints on the UART: the dump ends with the last stack. */
function endsWithTasks(dump: Uint8Array): boolean {
  const reader = new ByteReader('BIN v1 core dump', dump);
  const taskCount = wordAt(reader, 8);
  const tcbSize = wordAt(reader, 12);
  reader.seek(16);
  let tasks = 0;
  while (reader.remaining >= 12 && tasks++ < taskCount) {
    reader.skip(4);
    const size = tcbSize + Math.abs(reader.u32() - reader.u32());
    if (size > reader.remaining) return false;
    reader.skip(size);
    reader.skip(Math.min(-size & 3, reader.remaining));
  }
  return reader.atEnd;
}

export function wordAt(reader: ByteReader, offset: number): number {
  return reader.slice(reader.what, offset, 4).u32();
}

function layout(
  format: string,
  payload: 'elf' | 'bin',
  headerSize: number,
  checksum: 'crc32' | 'sha256',
): Layout {
  return {
    format,
    payload,
    headerSize,
    checksum,
    hasSegmentCount: headerSize >= 20,
    // The revision is the last word of the headers that have one.
    chipRevisionOffset: headerSize === 24 || headerSize === 12 ? headerSize - 4 : null,
  };
}

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

export function startsWithElfMagic(bytes: Uint8Array, offset: number): boolean {
  return ELF_MAGIC.every((byte, index) => bytes[offset + index] === byte);
}
