import { chipOfFirmware } from '../arch/chips.js';
import { ByteReader, Malformed } from '../bytes.js';
import type { AppDescriptor } from './app-descriptor.js';
import { APP_DESCRIPTOR_SECTIONS, APP_DESCRIPTOR_SIZE, readAppDescriptor } from './app-descriptor.js';
import {
  ELF_HEADER_SIZE,
  type ElfHeader,
  nameIn,
  readElfHeader,
  readSectionHeader,
  SECTION_HEADER_SIZE,
  UnreadableFirmware,
} from './elf-file.js';

/** The data of an ELF that an upload needs. */
export interface FirmwareIdentity {
  /** Name of its architecture: "xtensa", "riscv". */
  machine: string;
  /** Null when unknown: an ELF names no chip, but some chips have unique addresses. */
  chip: string | null;
  appDescriptor: AppDescriptor | null;
}

type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

const MAX_NAME_TABLE_BYTES = 1024 * 1024;

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

async function identify(read: ReadAt, size: number): Promise<FirmwareIdentity> {
  const at = async (what: string, offset: number, length: number) => {
    if (offset + length > size)
      throw new Malformed(`${what}: needs ${length} bytes at ${offset}, has ${size}`);
    return new ByteReader(what, await read(offset, length), offset);
  };
  const header = readElfHeader(await at('ELF header', 0, Math.min(size, ELF_HEADER_SIZE)));
  const sections = await readNamedSections(header, at);
  const machine = header.architecture.name;
  const chip = chipOfFirmware(header.architecture, sections)?.name ?? null;

  for (const name of APP_DESCRIPTOR_SECTIONS) {
    const section = sections.find((candidate) => candidate.name === name);
    if (section === undefined || section.size < APP_DESCRIPTOR_SIZE) continue;
    const { bytes } = await at('app descriptor', section.offset, APP_DESCRIPTOR_SIZE);
    const appDescriptor = readAppDescriptor(bytes);
    if (appDescriptor !== null) return { machine, chip, appDescriptor };
  }
  return { machine, chip, appDescriptor: null };
}

/** Empty when the names cannot be read. */
async function readNamedSections(
  { sectionsAt, sectionCount, namesIndex }: ElfHeader,
  at: (what: string, offset: number, length: number) => Promise<ByteReader>,
) {
  const table = await at('section headers', sectionsAt, sectionCount * SECTION_HEADER_SIZE);
  const sections = Array.from({ length: sectionCount }, (_, index) => readSectionHeader(table, index));
  const names = sections[namesIndex];
  if (names === undefined || names.size > MAX_NAME_TABLE_BYTES) return [];
  const strings = await at('section names', names.offset, names.size);
  return sections.map(({ nameAt, ...section }) => ({ ...section, name: nameIn(strings, nameAt) }));
}
