import { chipsOfFirmware } from '../arch/chips.js';
import { ByteReader, Malformed } from '../bytes.js';
import type { ReportWarning } from '../warning.js';
import type { AppDescriptor } from './app-descriptor.js';
import { APP_DESCRIPTOR_SECTIONS, APP_DESCRIPTOR_SIZE, readAppDescriptor } from './app-descriptor.js';
import {
  decompress,
  ELF_HEADER_SIZE,
  type ElfHeader,
  type ElfSection,
  isCompressed,
  nameIn,
  readElfHeader,
  readSectionHeader,
  SECTION_HEADER_SIZE,
  SHT_SYMTAB,
  UnreadableFirmware,
} from './elf-file.js';
import { searchLacks } from './lacks.js';
import { partOf } from './section-search.js';
import { targetInSymbols } from './target-symbol.js';

/** The data of an ELF that an upload needs. */
export interface FirmwareIdentity {
  /** Name of its architecture: "xtensa", "riscv". */
  machine: string;
  /** The chips that it can be for, by the chip that the build names, otherwise by its addresses. */
  chips: readonly string[];
  /** The only one of them; null when there are more. */
  chip: string | null;
  appDescriptor: AppDescriptor | null;
  /**
   * What the ELF does not contain although reports need it, as warnings about every report that is made with it. Empty
   * for the ELF of an ordinary build.
   */
  lacks: readonly ReportWarning[];
}

type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

const MAX_NAME_TABLE_BYTES = 1024 * 1024;
/** Firmware in C++ has a few megabytes. */
const MAX_SYMBOL_NAME_BYTES = 16 * 1024 * 1024;
/** Larger compressed sections are not decompressed at an upload. */
const MAX_COMPRESSED_BYTES = 1024 * 1024;
const MAX_DECOMPRESSED_BYTES = 16 * 1024 * 1024;

/**
 * Examines a firmware ELF without reading the whole file: its header, section table and application descriptor.
 *
 * @param read returns up to `length` bytes at `offset`; fewer at the end of the file
 * @param size bytes of the file
 * @throws UnreadableFirmware
 */
export async function readFirmwareIdentity(read: ReadAt, size: number): Promise<FirmwareIdentity> {
  try {
    return await identify(read, size);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new UnreadableFirmware(`The firmware ELF is damaged: ${error.message}.`);
  }
}

type PartAt = (what: string, offset: number, length: number) => Promise<ByteReader>;

async function identify(read: ReadAt, size: number): Promise<FirmwareIdentity> {
  const at: PartAt = async (what, offset, length) => {
    if (offset + length > size)
      throw new Malformed(`${what}: needs ${length} bytes at ${offset}, has ${size}`);
    return new ByteReader(what, await read(offset, length), offset);
  };
  const header = readElfHeader(await at('ELF header', 0, Math.min(size, ELF_HEADER_SIZE)));
  const sections = await readNamedSections(header, at);
  const chips = chipsOfFirmware(header.architecture, sections, await readTarget(sections, at));
  const [only = null, ...others] = chips;
  return {
    machine: header.architecture.name,
    chips,
    chip: others.length === 0 ? only : null,
    appDescriptor: await findAppDescriptor(sections, at),
    lacks: await findLacks(header, sections, { at, size }),
  };
}

/** Null when there is no symbol table, or too large a one. */
async function readTarget(sections: readonly ElfSection[], at: PartAt): Promise<string | null> {
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  const names = table === undefined ? undefined : sections[table.link];
  if (names === undefined || names.size > MAX_SYMBOL_NAME_BYTES) return null;
  return targetInSymbols((await at('symbol names', names.offset, names.size)).bytes);
}

async function findAppDescriptor(sections: readonly ElfSection[], at: PartAt): Promise<AppDescriptor | null> {
  for (const name of APP_DESCRIPTOR_SECTIONS) {
    const section = sections.find((candidate) => candidate.name === name);
    if (section === undefined || section.size < APP_DESCRIPTOR_SIZE) continue;
    const { bytes } = await at('app descriptor', section.offset, APP_DESCRIPTOR_SIZE);
    const appDescriptor = readAppDescriptor(bytes);
    if (appDescriptor !== null) return appDescriptor;
  }
  return null;
}

async function findLacks(
  { architecture }: ElfHeader,
  sections: readonly ElfSection[],
  file: { at: PartAt; size: number },
): Promise<readonly ReportWarning[]> {
  const decompressed = new Map<ElfSection, ByteReader | null>();
  const search = searchLacks(architecture, sections);
  let step = search.next();
  while (step.done !== true) {
    const { section, offset, length, isRaw } = step.value;
    const isInFile = section.offset + section.size <= file.size;
    if (isInFile && (isRaw || !isCompressed(section))) {
      const available = Math.max(0, Math.min(length, section.size - offset));
      step = search.next(
        await file.at(section.name, section.offset + Math.min(offset, section.size), available),
      );
      continue;
    }
    let whole = decompressed.get(section);
    if (whole === undefined) {
      whole = isInFile ? await decompressSmall(section, file.at) : null;
      decompressed.set(section, whole);
    }
    step = search.next(partOf(whole, step.value));
  }
  return step.value;
}

async function decompressSmall(section: ElfSection, at: PartAt): Promise<ByteReader | null> {
  if (section.size > MAX_COMPRESSED_BYTES) return null;
  const raw = await at(section.name, section.offset, section.size);
  return decompress(raw, section, { bytesLeft: MAX_DECOMPRESSED_BYTES });
}

/** Empty when the names cannot be read. */
async function readNamedSections(
  { sectionsAt, sectionCount, namesIndex }: ElfHeader,
  at: PartAt,
): Promise<ElfSection[]> {
  const table = await at('section headers', sectionsAt, sectionCount * SECTION_HEADER_SIZE);
  const sections = Array.from({ length: sectionCount }, (_, index) => readSectionHeader(table, index));
  const names = sections[namesIndex];
  if (names === undefined || names.size > MAX_NAME_TABLE_BYTES) return [];
  const strings = await at('section names', names.offset, names.size);
  return sections.map(({ nameAt, ...section }) => ({ ...section, name: nameIn(strings, nameAt) }));
}
