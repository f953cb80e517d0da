/**
 * The structure of a firmware ELF: 32-bit, little-endian, statically linked, for Xtensa or RISC-V. Names and numbers
 * from the System V ABI, chapter 4. Section contents are views of the file; only compressed ones are copied.
 */
import type { Architecture } from '../arch/architecture.js';
import { architectureOfMachine } from '../arch/architectures.js';
import { ByteReader, Malformed } from '../bytes.js';
import { decompressOldSection, decompressSection, type Inflation } from './decompress.js';

/** The file is no firmware that this library can read. The message is one sentence: what it is, or what is wrong. */
export class UnreadableFirmware extends Error {
  override readonly name = 'UnreadableFirmware';
}

export interface ElfFile {
  readonly architecture: Architecture;
  readonly sections: readonly ElfSection[];
  /**
   * Contents of the first section of that name, decompressed; `.debug_…` is also found as `.zdebug_…`. Null when
   * there is none or it has no bytes.
   */
  contents(name: string): ByteReader | null;
  contentsOf(section: ElfSection): ByteReader | null;
  /** As in the file: compressed ones as they are. */
  rawContentsOf(section: ElfSection): ByteReader | null;
}

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  /** A number of the System V ABI, SHT_PROGBITS and so on. */
  readonly type: number;
  /** Bits of the System V ABI, SHF_ALLOC and so on. */
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entrySize: number;
}

export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_NOBITS = 8;
export const SHF_WRITE = 0x1;
export const SHF_ALLOC = 0x2;
export const SHF_EXECINSTR = 0x4;
export const SHF_COMPRESSED = 0x800;
export const SHF_MASKPROC = 0xf0000000;

const ET_EXEC = 2;
export const ELF_HEADER_SIZE = 52;
export const SECTION_HEADER_SIZE = 40;
/** Far more than a linker writes, and small enough to bound the work for a hostile table. */
const MAX_SECTIONS = 10_000;
/** Limit for the inflated size of all compressed sections together; large C++ firmware stays below. */
const MAX_INFLATED_BYTES = 256 * 1024 * 1024;

/** @throws UnreadableFirmware */
export function parseElf(bytes: Uint8Array): ElfFile {
  try {
    const file = new ByteReader('firmware ELF', bytes);
    const { architecture, sectionsAt, sectionCount, namesIndex } = readElfHeader(file);
    const sections = readSections(file, sectionsAt, sectionCount, namesIndex);
    const inflation = { bytesLeft: MAX_INFLATED_BYTES };
    const cache = new Map<ElfSection, ByteReader | null>();
    const contentsOf = (section: ElfSection) => {
      let contents = cache.get(section);
      if (contents === undefined) {
        contents = readContents(file, section, inflation);
        cache.set(section, contents);
      }
      // A new reader for each caller, because readers have a position.
      return contents === null ? null : contents.slice(contents.what, 0, contents.length);
    };
    return {
      architecture,
      sections,
      contentsOf,
      rawContentsOf: (section) => rawContents(file, section),
      contents(name) {
        const oldName = name.replace(/^\.debug_/, '.zdebug_');
        const section = sections.find((candidate) => candidate.name === name || candidate.name === oldName);
        return section === undefined ? null : contentsOf(section);
      },
    };
  } catch (error) {
    if (error instanceof Malformed)
      throw new UnreadableFirmware(`The firmware ELF is damaged: ${error.message}.`);
    throw error;
  }
}

export interface ElfHeader {
  architecture: Architecture;
  sectionsAt: number;
  sectionCount: number;
  namesIndex: number;
}

/** @throws UnreadableFirmware, Malformed */
export function readElfHeader(file: ByteReader): ElfHeader {
  const magic = file.length >= 4 ? file.slice('ELF magic', 0, 4).u32() : 0;
  if (magic !== 0x464c457f) throw new UnreadableFirmware('This is not an ELF file.');
  const header = file.slice('ELF header', 0, ELF_HEADER_SIZE);
  header.skip(4);
  const elfClass = header.u8();
  const encoding = header.u8();
  if (elfClass !== 1) throw new UnreadableFirmware('This is a 64-bit ELF; ESP32-family firmware is 32-bit.');
  if (encoding !== 1)
    throw new UnreadableFirmware('This is a big-endian ELF; ESP32-family firmware is little-endian.');
  header.seek(16);
  const type = header.u16();
  const machineCode = header.u16();
  if (type !== ET_EXEC) {
    throw new UnreadableFirmware(`This ELF is not an executable (type ${type}): give the linked firmware.`);
  }
  const architecture = architectureOfMachine(machineCode);
  if (architecture === null) {
    throw new UnreadableFirmware(
      `This ELF is for machine 0x${machineCode.toString(16)}, neither Xtensa nor RISC-V.`,
    );
  }
  header.seek(32);
  const sectionsAt = header.u32();
  header.seek(46);
  const entrySize = header.u16();
  const sectionCount = header.u16();
  const namesIndex = header.u16();
  if (sectionCount > 0 && entrySize !== SECTION_HEADER_SIZE) {
    throw new Malformed(`section headers have ${entrySize} bytes each instead of ${SECTION_HEADER_SIZE}`);
  }
  if (sectionCount > MAX_SECTIONS) throw new Malformed(`${sectionCount} sections`);
  return { architecture, sectionsAt, sectionCount, namesIndex };
}

function readSections(file: ByteReader, at: number, count: number, namesIndex: number): ElfSection[] {
  const table = file.slice('section headers', at, count * SECTION_HEADER_SIZE);
  const raw = Array.from({ length: count }, (_, index) => readSectionHeader(table, index));
  const names = raw[namesIndex];
  const strings =
    names !== undefined && names.offset + names.size <= file.length
      ? file.slice('section names', names.offset, names.size)
      : null;
  return raw.map(({ nameAt, ...section }) => ({
    ...section,
    name: strings === null ? '' : nameIn(strings, nameAt),
  }));
}

export function readSectionHeader(
  table: ByteReader,
  index: number,
): Omit<ElfSection, 'name'> & { nameAt: number } {
  const header = table.slice(`section header ${index}`, index * SECTION_HEADER_SIZE, SECTION_HEADER_SIZE);
  const [nameAt, type, flags, address, offset, size, link] = [
    header.u32(),
    header.u32(),
    header.u32(),
    header.u32(),
    header.u32(),
    header.u32(),
    header.u32(),
  ];
  header.seek(36);
  return { index, nameAt, type, flags, address, offset, size, link, entrySize: header.u32() };
}

/** A name outside the table, or without an end, becomes an empty name; the other names stay readable. */
export function nameIn(strings: ByteReader, at: number): string {
  if (at >= strings.length) return '';
  try {
    strings.seek(at);
    return strings.cString();
  } catch {
    return '';
  }
}

/** A section outside the file counts as empty; its users continue without it. */
function rawContents(file: ByteReader, section: ElfSection): ByteReader | null {
  if (section.type === SHT_NOBITS || section.offset + section.size > file.length) return null;
  return file.slice(section.name, section.offset, section.size);
}

function readContents(file: ByteReader, section: ElfSection, inflation: Inflation): ByteReader | null {
  const raw = rawContents(file, section);
  return raw === null || !isCompressed(section) ? raw : decompress(raw, section, inflation);
}

export function isCompressed({ name, flags }: ElfSection): boolean {
  return (flags & SHF_COMPRESSED) !== 0 || name.startsWith('.zdebug_');
}

/** Contents of a compressed section; null when they cannot be read. */
export function decompress(raw: ByteReader, { flags }: ElfSection, inflation: Inflation): ByteReader | null {
  return (flags & SHF_COMPRESSED) !== 0
    ? decompressSection(raw, inflation)
    : decompressOldSection(raw, inflation);
}
