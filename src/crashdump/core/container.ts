import { ByteReader } from '../bytes.js';
import { UnreadableDump } from '../errors.js';
import type { ReportWarning } from '../warning.js';
import {
  CHECKSUM_SIZE,
  knownLayout,
  type Layout,
  startsWithElfMagic,
  verifyChecksum,
  wordAt,
} from './dump-header.js';
import { type Gaps, isTouched, listGaps, NO_GAPS } from './gaps.js';
import { identifyNonDump, nameNonDump } from './identify-non-dump.js';
import { findDump } from './misplaced-dump.js';
import { readOldDump } from './old-container.js';
import type { BinPayload, Container, ElfPayload, RawContainer } from './payload.js';
import { unwrapText } from './transport/unwrap-text.js';

/**
 * Recognises an upload and decodes it up to the payload, which is not examined.
 * @param verify false skips the checksum and reports it as absent: sufficient to find out the kind of upload
 * @throws UnreadableDump when it is no core dump
 */
export function openContainer(upload: Uint8Array, { verify = true } = {}): Container {
  const text = startsWithElfMagic(upload, 0) || knownLayout(upload) !== undefined ? null : unwrapText(upload);
  if (text === null) return { ...openBinary(upload, NO_GAPS, verify), transport: null, gaps: NO_GAPS };
  const { bytes, transport, gaps, warnings } = text;
  const container = openBinary(bytes, gaps, verify || gaps.length > 0);
  container.warnings.unshift(...warnings);
  if (gaps.length === 0 || container.checksum !== 'ok') return { ...container, transport, gaps };
  container.warnings.push({
    code: 'DUMP_HAS_GAPS',
    message: `Bytes ${listGaps(gaps)} of the dump were lost with damaged characters of its text; its checksum shows that they were zero.`,
  });
  return { ...container, transport, gaps: NO_GAPS };
}

const LONGEST_DUMP = 0x20000000;

function openBinary(bytes: Uint8Array, gaps: Gaps, verify: boolean): RawContainer {
  if (startsWithElfMagic(bytes, 0)) return bareElf(bytes);
  if (bytes.length < 12) {
    throw new UnreadableDump(`A core dump has at least 12 bytes; this has ${bytes.length}.`);
  }
  // Four letters are a length that no dump has.
  const word = new ByteReader('core dump header', bytes).u32();
  const magic = word >= LONGEST_DUMP ? nameNonDump(bytes) : null;
  if (magic !== null) throw new UnreadableDump(magic);
  const known = knownLayout(bytes);
  if (known && !isTouched(gaps, 0, known.headerSize) && isPossible(bytes, known)) {
    return (known.payload === 'bin' ? readOldDump(bytes) : null) ?? openKnown(bytes, known, gaps, verify);
  }
  const name = nameNonDump(bytes);
  if (name !== null) throw new UnreadableDump(name);
  const found = findDump(bytes);
  if (found?.layout) return openMisplaced(bytes, found.at, found.layout, gaps, verify);
  const other = openUnknown(bytes) ?? readOldDump(bytes);
  if (other !== null) return other;
  if (found) return withoutHeader(bytes.subarray(found.at));
  // Its own sentence says what is wrong with it.
  if (known && !isTouched(gaps, 0, known.headerSize)) return openKnown(bytes, known, gaps, verify);
  throw new UnreadableDump(identifyNonDump(bytes));
}

/** The few numbers of the old format's header fit many files: Zephyr's core dumps for instance. */
function isPossible(bytes: Uint8Array, { payload }: Layout): boolean {
  if (payload === 'elf' || bytes.length < 16) return true;
  const tcbSize = wordAt(new ByteReader('header', bytes), 12);
  return tcbSize > 0 && tcbSize <= LARGEST_TCB;
}

const LARGEST_TCB = 64 * 1024;

/** Something stands in front of the dump. */
function openMisplaced(
  bytes: Uint8Array,
  at: number,
  layout: Layout,
  gaps: Gaps,
  verify: boolean,
): RawContainer {
  const container = openKnown(bytes.subarray(at), layout, shifted(gaps, at), verify);
  container.warnings.unshift({
    code: 'TEXT_WITH_DUMP',
    message: `${at} bytes in front of the dump do not belong to it and were left out.`,
  });
  return container;
}

function withoutHeader(elf: Uint8Array): RawContainer {
  const message =
    'The header of the dump, in front of its ELF, is damaged: the ELF was read, its checksum was not checked.';
  return { ...bareElf(elf), format: 'ELF (damaged header)', warnings: [{ code: 'DUMP_DAMAGED', message }] };
}

function shifted(gaps: Gaps, by: number): Gaps {
  return gaps.map(({ start, end }) => ({ start: start - by, end: end - by }));
}

function bareElf(bytes: Uint8Array): RawContainer {
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

function openKnown(bytes: Uint8Array, known: Layout, gaps: Gaps, verify: boolean): RawContainer {
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
  const checksum = verify ? verifyChecksum(bytes, known, totalLength) : 'absent';
  const isTruncated = totalLength > bytes.length;
  if (isTruncated) {
    warnings.push({
      code: 'DUMP_CUT',
      message: `The dump is cut: its header announces ${totalLength} bytes, ${bytes.length} are here.`,
    });
  }
  // Without a checksum behind it the payload may extend to the end, because it has its own length.
  const payloadEnd =
    isTruncated || checksum === 'absent' ? Math.min(totalLength, bytes.length) : totalLength - checksumSize;
  // With gaps it cannot match: their own warning says what is damaged.
  if (checksum === 'bad' && gaps.length === 0)
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

/** An unknown version is still readable if an ELF begins where one of the known headers ends. */
function openUnknown(bytes: Uint8Array): RawContainer | null {
  const header = new ByteReader('core dump header', bytes);
  const totalLength = header.u32();
  const versionWord = header.u32();
  const headerSize = [12, 16, 20, 24, 28, 32].find((size) => startsWithElfMagic(bytes, size));
  // A version has a chip id of a byte in front, and a dump its length: other words are a damaged header.
  if (headerSize === undefined || versionWord >>> 24 !== 0 || !isVersion(versionWord & 0xffff)) return null;
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

/** Major 1 is ELF, major 0 the old binary format (IDF esp_core_dump_types.h); the next ones will be small too. */
function isVersion(version: number): boolean {
  return version >= 0x0100 && version < 0x1000;
}
