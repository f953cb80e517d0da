/**
 * The entries of `.debug_frame` (DWARF 5 §6.4.1) and `.eh_frame` (Linux Standard Base 5.0, "Exception Frames"): common
 * information (CIE) and frame descriptions (FDE). For 4-byte addresses without segments.
 */
import { type ByteReader, Malformed } from '../bytes.js';
import { readEncodedAddress, readEncodedSize, skipEncoded } from './encoded-pointer.js';
import type { Range } from './range-map.js';
import { readUnitLength } from './unit-length.js';

/** A section with call-frame information. */
export interface FrameSection {
  readonly bytes: ByteReader;
  /** `.eh_frame`: other identification of CIEs, and addresses in the encoding that the CIE names. */
  readonly isExceptionFrame: boolean;
  /** Where the section lies in memory, for addresses relative to themselves. */
  readonly address: number;
  /** DWARF register number: the CFA's initial register in the CIEs of GAS. */
  readonly stackPointer: number;
}

export interface CommonInformation {
  readonly stackPointer: number;
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  readonly returnAddressRegister: number;
  readonly instructions: ByteReader;
  readonly readAddress: (from: ByteReader) => number;
  readonly readSize: (from: ByteReader) => number;
  /** Whether descriptions have augmentation data before their instructions. */
  readonly hasAugmentationData: boolean;
}

export interface FrameDescription extends Range {
  readonly common: CommonInformation;
  readonly instructions: ByteReader;
}

/** An entry whose content has not been read: its body, without length and identification. */
export interface FrameEntry {
  readonly body: ByteReader;
  /** Offset of the CIE that a description refers to; null for a CIE. */
  readonly commonAt: number | null;
}

const CIE_ID = 0xffffffff;
const NOWHERE = -1;
const ADDRESS_SIZE = 4;
const DW_EH_PE_absptr = 0x00;

/** All entries that can be told apart: behind a wrong length nothing is found. An ELF has thousands, so that none
 * gets a reader of its own.
 * @param visit is called with the reader behind the identification, the offset of the CIE (null for a CIE itself), and
 * where the entry begins and ends
 */
export function visitEntries(
  section: FrameSection,
  visit: (bytes: ByteReader, commonAt: number | null, offset: number, end: number) => void,
): void {
  const bytes = section.bytes.slice(section.bytes.what, 0, section.bytes.length);
  while (bytes.remaining >= ADDRESS_SIZE) {
    const offset = bytes.position;
    let end = 0;
    let commonAt: number | null;
    try {
      end = endOfEntry(bytes);
      commonAt = end === bytes.position ? NOWHERE : readCommonAt(section, bytes, offset, end);
    } catch (error) {
      if (error instanceof Malformed) return;
      throw error;
    }
    visit(bytes, commonAt, offset, end);
    bytes.seek(end);
  }
}

/** Null for the mark that ends a list: a linker that joins lists leaves it in the middle. @throws Malformed */
export function entryAt(section: FrameSection, offset: number): FrameEntry | null {
  const bytes = section.bytes.slice(section.bytes.what, 0, section.bytes.length);
  bytes.seek(offset);
  const end = endOfEntry(bytes);
  const base = bytes.position;
  if (end === base) return null;
  const commonAt = readCommonAt(section, bytes, offset, end);
  const body = bytes.slice('call-frame entry', base, end - base);
  body.seek(bytes.position - base);
  return { body, commonAt };
}

/** Moves behind the length. @throws Malformed */
function endOfEntry(bytes: ByteReader): number {
  const { length } = readUnitLength(bytes);
  if (length > bytes.remaining) throw new Malformed(`${bytes.what}: an entry is longer than its section`);
  return bytes.position + length;
}

/** Moves behind the identification, if the entry has room for one. */
function readCommonAt(section: FrameSection, bytes: ByteReader, offset: number, end: number): number | null {
  const base = bytes.position;
  const isWide = base - offset > ADDRESS_SIZE;
  if (end - base < (isWide ? 8 : 4)) return NOWHERE;
  // An .eh_frame identifies entries by four bytes, whatever the width of lengths.
  const id = bytes.u32();
  if (section.isExceptionFrame) return id === 0 ? null : base - id;
  const high = isWide ? bytes.u32() : 0;
  if (id === CIE_ID && (!isWide || high === CIE_ID)) return null;
  return high === 0 ? id : NOWHERE;
}

/** Null for a CIE of an unknown kind. @throws Malformed */
export function readCommon(section: FrameSection, at: number): CommonInformation | null {
  const entry = entryAt(section, at);
  if (entry === null || entry.commonAt !== null) return null;
  const { body } = entry;
  const version = body.u8();
  if (version !== 1 && version !== 3 && version !== 4) return null;
  const augmentation = body.cString();
  // GCC before 3.0 put the address of its own table here.
  if (augmentation === 'eh') body.skip(ADDRESS_SIZE);
  if (version === 4) {
    const addressSize = body.u8();
    const segmentSize = body.u8();
    if (addressSize !== ADDRESS_SIZE || segmentSize !== 0) return null;
  }
  const codeAlignment = body.uleb128();
  const dataAlignment = body.sleb128();
  const returnAddressRegister = version === 1 ? body.u8() : body.uleb128();
  const encoding = readAugmentation(augmentation, body);
  if (encoding === null) return null;
  return {
    stackPointer: section.stackPointer,
    codeAlignment,
    dataAlignment,
    returnAddressRegister,
    instructions: rest(body),
    readAddress: (from) => readEncodedAddress(from, encoding, addressOf(section, from)),
    readSize: (from) => readEncodedSize(from, encoding),
    hasAugmentationData: augmentation.startsWith('z'),
  };
}

/** The described code; the body is then behind it. @throws Malformed */
export function readRange(body: ByteReader, common: CommonInformation): Range {
  const start = common.readAddress(body);
  return { start, end: start + common.readSize(body) };
}

/** @throws Malformed */
export function readDescription(body: ByteReader, common: CommonInformation): FrameDescription {
  const { start, end } = readRange(body, common);
  if (common.hasAugmentationData) body.skip(body.uleb128());
  return { common, start, end, instructions: rest(body) };
}

/**
 * The encoding of addresses in the descriptions; null for an augmentation that may change the meaning of what follows.
 * Afterwards the body is at the instructions.
 */
function readAugmentation(augmentation: string, body: ByteReader): number | null {
  if (augmentation === '' || augmentation === 'eh') return DW_EH_PE_absptr;
  if (!augmentation.startsWith('z')) return null;
  const data = body.split('CIE augmentation', body.uleb128());
  let encoding = DW_EH_PE_absptr;
  for (const letter of augmentation.slice(1)) {
    if (letter === 'R') encoding = data.u8();
    else if (letter === 'L') data.skip(1);
    else if (letter === 'P') skipEncoded(data, data.u8());
    // A signal handler's frame has no data. What is unknown has its size in front of it, but perhaps the encoding too.
    else if (letter !== 'S') return null;
  }
  return encoding;
}

/** Where the reader's position lies in memory. */
function addressOf(section: FrameSection, from: ByteReader): number {
  return section.address + (from.base - section.bytes.base) + from.position;
}

function rest(body: ByteReader): ByteReader {
  return body.slice('call-frame instructions', body.position, body.remaining);
}

/** Runs `read`; null for what is malformed: the other entries stay readable. */
export function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
