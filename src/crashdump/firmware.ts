import { createHash } from 'node:crypto';
import { type CallFrames, readCallFrames } from './dwarf/call-frames.js';
import { APP_DESCRIPTOR_SECTION, readAppDescriptor } from './elf/app-descriptor.js';
import {
  type ElfFile,
  type ElfSection,
  parseElf,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_MASKPROC,
  SHF_WRITE,
  SHT_NOBITS,
  SHT_PROGBITS,
} from './elf/elf-file.js';
import { readSymbols, type SymbolTable } from './elf/symbols.js';
import type { FirmwareImage, FirmwareSection, SourceFrame } from './firmware-image.js';

/**
 * Opens a firmware ELF. What is costly (symbols, call frames) is read when it is first asked for and kept, so an
 * image that is cached answers later dumps from memory.
 *
 * @param bytes the file; borrowed as long as the image is in use
 * @throws UnreadableFirmware
 */
export function openFirmware(bytes: Uint8Array): FirmwareImage {
  const elf = parseElf(bytes);
  const loaded = elf.sections.filter(isLoaded);
  const symbols = lazily(() => readSymbols(elf));
  const callFrames = lazily(() => readCallFrames(elf.contents('.debug_frame')));
  const descriptor = elf.contents(APP_DESCRIPTOR_SECTION);
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    machine: elf.machine,
    sections: elf.sections.filter(({ index }) => index > 0).map(toFirmwareSection),
    appDescriptor: descriptor === null ? null : readAppDescriptor(descriptor),
    readAt: (address, length) => readLoaded(bytes, loaded, address, length),
    symbolAt: (address) => symbols().at(address),
    symbol: (name) => symbols().named(name),
    cfiAt: (pc) => callFrames().rowAt(pc),
    framesAt: (pc) => framesFromSymbols(symbols(), pc),
    structMember: () => null,
  };
}

function framesFromSymbols(symbols: SymbolTable, pc: number): SourceFrame[] {
  const symbol = symbols.functionAt(pc);
  if (symbol === null) return [];
  const atLineStart = symbol.address === pc;
  return [{ function: symbol.name, file: null, line: null, inlined: false, atLineStart, arguments: [] }];
}

function isLoaded(section: ElfSection): boolean {
  return (section.flags & SHF_ALLOC) !== 0 && section.type !== SHT_NOBITS && section.size > 0;
}

function readLoaded(
  bytes: Uint8Array,
  loaded: readonly ElfSection[],
  address: number,
  length: number,
): Uint8Array | null {
  const section = loaded.find(
    (candidate) => address >= candidate.address && address + length <= candidate.address + candidate.size,
  );
  if (section === undefined) return null;
  const start = section.offset + (address - section.address);
  return start + length <= bytes.length ? bytes.subarray(start, start + length) : null;
}

function toFirmwareSection({
  name,
  address,
  size,
  type,
  flags,
}: ElfFile['sections'][number]): FirmwareSection {
  return {
    name,
    address,
    size,
    kind: type === SHT_PROGBITS ? 'progbits' : type === SHT_NOBITS ? 'nobits' : 'other',
    flags: {
      alloc: (flags & SHF_ALLOC) !== 0,
      write: (flags & SHF_WRITE) !== 0,
      exec: (flags & SHF_EXECINSTR) !== 0,
      processorSpecific: (flags & SHF_MASKPROC) !== 0,
    },
  };
}

function lazily<T extends SymbolTable | CallFrames>(read: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= read();
    return value;
  };
}
