import { ByteReader, Malformed } from '../bytes.js';
import type { AppDescriptor } from '../firmware-image.js';
import { APP_DESCRIPTOR_SECTION, APP_DESCRIPTOR_SIZE, readAppDescriptor } from './app-descriptor.js';
import { nameIn, readElfHeader, readSectionHeader, UnreadableFirmware } from './elf-file.js';

/** What an upload needs to know of an ELF. */
export interface FirmwareIdentity {
  machine: 'xtensa' | 'riscv';
  /** The ELF itself does not name its chip; null. Kept for ELFs that one day do. */
  chip: string | null;
  appDescriptor: AppDescriptor | null;
}

const HEADER_BYTES = 52;
const SECTION_HEADER_BYTES = 40;
const MAX_NAME_TABLE_BYTES = 1024 * 1024;

/**
 * Looks at a firmware ELF without reading it whole: its header, its section table and its application descriptor.
 *
 * @param read answers up to `length` bytes at `offset`; fewer at the end of the file
 * @param size bytes of the file
 * @throws UnreadableFirmware
 */
export async function readFirmwareIdentity(
  read: (offset: number, length: number) => Promise<Uint8Array>,
  size: number,
): Promise<FirmwareIdentity> {
  try {
    const at = async (what: string, offset: number, length: number) => {
      if (offset + length > size)
        throw new Malformed(`${what}: needs ${length} bytes at ${offset}, has ${size}`);
      return new ByteReader(what, await read(offset, length), offset);
    };
    const header = readElfHeader(await at('ELF header', 0, Math.min(size, HEADER_BYTES)));
    const table = await at('section headers', header.sectionsAt, header.sectionCount * SECTION_HEADER_BYTES);
    const sections = Array.from({ length: header.sectionCount }, (_, index) =>
      readSectionHeader(table, index),
    );
    const names = sections[header.namesIndex];
    if (names === undefined || names.size > MAX_NAME_TABLE_BYTES) {
      return { machine: header.machine, chip: null, appDescriptor: null };
    }
    const strings = await at('section names', names.offset, names.size);
    const section = sections.find(({ nameAt }) => nameIn(strings, nameAt) === APP_DESCRIPTOR_SECTION);
    const appDescriptor =
      section === undefined || section.size < APP_DESCRIPTOR_SIZE
        ? null
        : readAppDescriptor(await at('app descriptor', section.offset, APP_DESCRIPTOR_SIZE));
    return { machine: header.machine, chip: null, appDescriptor };
  } catch (error) {
    if (error instanceof Malformed)
      throw new UnreadableFirmware(`The firmware ELF is damaged: ${error.message}.`);
    throw error;
  }
}
