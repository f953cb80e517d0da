import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ByteReader } from '../bytes.js';
import { UnreadableDump } from '../errors.js';
import type { ReportWarning } from '../warning.js';
import { identifyNonDump } from './identify-non-dump.js';
import { decodeTextEncoding } from './text-encoding.js';

/** The payload of an upload, without transport encoding, header and checksum. */
export interface Container {
  /** "ELF SHA256 v2.1", "BIN v1", "bare ELF" */
  format: string;
  /** Word 1 of the header: chip id << 16 | major << 8 | minor; null for a bare ELF. */
  versionWord: number | null;
  chipId: number | null;
  /** major × 100 + minor; null when the header has none. */
  chipRevision: number | null;
  checksum: 'ok' | 'bad' | 'absent';
  payload: ElfPayload | BinPayload;
  warnings: ReportWarning[];
}

export interface ElfPayload {
  kind: 'elf';
  reader: ByteReader;
}

export interface BinPayload {
  kind: 'bin';
  reader: ByteReader;
  taskCount: number;
  tcbSize: number;
  /** Null in v1, which has no memory segments. */
  segmentCount: number | null;
}

interface Layout {
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

const CHECKSUM_SIZE = { crc32: 4, sha256: 32 } as const;

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/**
 * Recognises an upload and decodes it up to the payload, which is not examined.
 * @param verify false skips the checksum and reports it as absent: sufficient to find out the kind of upload
 * @throws UnreadableDump when it is no core dump
 */
export function openContainer(upload: Uint8Array, { verify = true } = {}): Container {
  const text = isKnownBinary(upload) ? null : decodeTextEncoding(upload);
  const container = openBinary(text?.bytes ?? upload, verify);
  if (text) container.warnings.unshift(...text.warnings);
  return container;
}

function isKnownBinary(bytes: Uint8Array): boolean {
  return startsWithElfMagic(bytes, 0) || knownLayout(bytes) !== undefined;
}

function openBinary(bytes: Uint8Array, verify: boolean): Container {
  if (startsWithElfMagic(bytes, 0)) return bareElf(bytes);
  if (bytes.length < 12) {
    throw new UnreadableDump(`A core dump has at least 12 bytes; this has ${bytes.length}.`);
  }
  const known = knownLayout(bytes);
  if (known) return openKnown(bytes, known, verify);
  return openUnknown(bytes);
}

function bareElf(bytes: Uint8Array): Container {
  return {
    format: 'bare ELF',
    versionWord: null,
    chipId: null,
    chipRevision: null,
    checksum: 'absent',
    payload: { kind: 'elf', reader: new ByteReader('core ELF', bytes) },
    warnings: [],
  };
}

function openKnown(bytes: Uint8Array, known: Layout, verify: boolean): Container {
  const warnings: ReportWarning[] = [];
  const header = new ByteReader('core dump header', bytes);
  const totalLength = header.u32();
  const versionWord = header.u32();
  const checksumSize = CHECKSUM_SIZE[known.checksum];
  if (bytes.length < known.headerSize) {
    throw new UnreadableDump(
      `The ${known.format} core dump is cut inside its header: ${bytes.length} of ${known.headerSize} bytes.`,
    );
  }
  if (totalLength < known.headerSize + checksumSize) {
    throw new UnreadableDump(
      `The ${known.format} core dump claims a total length of ${totalLength} bytes, less than its header.`,
    );
  }
  const isTruncated = totalLength > bytes.length;
  if (isTruncated) {
    warnings.push({
      code: 'DUMP_CUT',
      message: `The dump is cut: its header announces ${totalLength} bytes, ${bytes.length} are here.`,
    });
  }
  const checksum = isTruncated || !verify ? 'absent' : verifyChecksum(bytes, known, totalLength);
  // Without a checksum behind it the payload may extend to the end, because it has its own length.
  const payloadEnd =
    isTruncated || checksum === 'absent' ? Math.min(totalLength, bytes.length) : totalLength - checksumSize;
  if (checksum === 'bad')
    warnings.push({
      code: 'DUMP_DAMAGED',
      message: `The ${known.checksum.toUpperCase()} checksum does not match: the dump is damaged.`,
    });

  return {
    format: known.format,
    versionWord,
    chipId: versionWord >>> 16,
    chipRevision: known.chipRevisionOffset === null ? null : wordAt(header, known.chipRevisionOffset),
    checksum,
    payload: readPayload(header, known, payloadEnd),
    warnings,
  };
}

function readPayload(header: ByteReader, known: Layout, end: number): ElfPayload | BinPayload {
  const reader = header.slice(
    known.payload === 'elf' ? 'core ELF' : 'BIN core dump',
    known.headerSize,
    end - known.headerSize,
  );
  if (known.payload === 'elf') return { kind: 'elf', reader };
  return {
    kind: 'bin',
    reader,
    taskCount: wordAt(header, 8),
    tcbSize: wordAt(header, 12),
    segmentCount: known.hasSegmentCount ? wordAt(header, 16) : null,
  };
}

function verifyChecksum(bytes: Uint8Array, known: Layout, totalLength: number): 'ok' | 'bad' | 'absent' {
  const end = totalLength - CHECKSUM_SIZE[known.checksum];
  const covered = bytes.subarray(0, end);
  const stored = bytes.subarray(end, totalLength);
  if (known.checksum === 'sha256') {
    return createHash('sha256').update(covered).digest().equals(stored) ? 'ok' : 'bad';
  }
  const storedCrc = new ByteReader('checksum', stored).u32();
  if (storedCrc === crc32(covered)) return 'ok';
  return known.format === 'BIN v1' && endsWithTasks(bytes.subarray(0, totalLength)) ? 'absent' : 'bad';
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

/** An unknown version is still readable if an ELF begins where one of the known headers ends. */
function openUnknown(bytes: Uint8Array): Container {
  const header = new ByteReader('core dump header', bytes);
  const totalLength = header.u32();
  const versionWord = header.u32();
  const headerSize = [12, 16, 20, 24, 28, 32].find((size) => startsWithElfMagic(bytes, size));
  if (headerSize === undefined) throw new UnreadableDump(identifyNonDump(bytes));
  const version = `0x${(versionWord & 0xffff).toString(16).padStart(4, '0')}`;
  const end = totalLength > headerSize ? Math.min(totalLength, bytes.length) : bytes.length;
  return {
    format: `ELF (unknown version ${version})`,
    versionWord,
    chipId: versionWord >>> 16,
    chipRevision: null,
    checksum: 'absent',
    payload: { kind: 'elf', reader: header.slice('core ELF', headerSize, end - headerSize) },
    warnings: [
      {
        code: 'UNKNOWN_VERSION',
        message: `The core dump version ${version} is not known; its ELF was read, its checksum was not checked.`,
      },
    ],
  };
}

function knownLayout(bytes: Uint8Array): Layout | undefined {
  if (bytes.length < 8) return undefined;
  const totalLength = wordAt(new ByteReader('core dump header', bytes), 0);
  const versionWord = wordAt(new ByteReader('core dump header', bytes), 4);
  // Chip ids fit into a byte so far; a larger one with a plausible version is a coincidence (text, encrypted bytes).
  if (versionWord >>> 24 !== 0 || totalLength === 0) return undefined;
  return LAYOUTS.get(versionWord & 0xffff);
}

function startsWithElfMagic(bytes: Uint8Array, offset: number): boolean {
  return ELF_MAGIC.every((byte, index) => bytes[offset + index] === byte);
}

function wordAt(reader: ByteReader, offset: number): number {
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
