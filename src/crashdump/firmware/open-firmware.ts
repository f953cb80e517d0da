import { chipsOfFirmware } from '../arch/chips.js';
import { plainBytes } from '../bytes.js';
import { type ArgumentReader, createArgumentReader } from '../dwarf/arguments.js';
import type { FrameSection } from '../dwarf/call-frame-entries.js';
import { type CallFrames, readCallFrames } from '../dwarf/call-frames.js';
import { type CallSites, createCallSites } from '../dwarf/call-sites.js';
import { type DebugInformation, openDebugInformation } from '../dwarf/debug-information.js';
import type { FrameContext } from '../dwarf/frame-context.js';
import type { LineRow } from '../dwarf/line-table.js';
import { createSourceLookup, type SourceLookup } from '../dwarf/source-frames.js';
import { createStructMembers, type StructMembers } from '../dwarf/struct-members.js';
import type { AppDescriptor } from '../elf/app-descriptor.js';
import { APP_DESCRIPTOR_SECTIONS, readAppDescriptor } from '../elf/app-descriptor.js';
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
  SHT_SYMTAB,
} from '../elf/elf-file.js';
import { lacksOf } from '../elf/lacks.js';
import type { FirmwareSymbol } from '../elf/symbols.js';
import { readSymbols, type SymbolTable } from '../elf/symbols.js';
import { targetInSymbols } from '../elf/target-symbol.js';
import { hexOf } from '../hex.js';
import { remember } from '../remember.js';
import { sha256 } from '../system.js';
import type { FirmwareImage, FirmwareSection, SourceFrame } from './firmware-image.js';

/**
 * Opens a firmware ELF. The costly parts (symbols, call frames, debug information) are read at their first use and
 * kept, so a cached image reads later dumps from memory.
 *
 * @param file borrowed as long as the image is in use
 * @throws UnreadableFirmware
 */
export function openFirmware(file: Uint8Array): FirmwareImage {
  const bytes = plainBytes(file);
  const elf = parseElf(bytes);
  const constants = elf.sections.filter(isConstant);
  const symbols = lazily<SymbolTable>(() => readSymbols(elf));
  const readAt = (address: number, length: number) => readLoaded(bytes, constants, address, length);
  const callFrames = lazily<CallFrames>(() => openCallFrames(elf));
  const information = lazily<DebugInformation>(() => openDebugInformation(elf));
  const sources = lazily<SourceLookup>(() => createSourceLookup(information()));
  const callSites = lazily<CallSites>(() =>
    createCallSites(
      sources(),
      (name) => symbols().named(name),
      elf.architecture.stackPointer,
      (address) => elf.architecture.endOfJump(address, readAt),
    ),
  );
  const symbolAt = remember(MAX_REMEMBERED, (address: number) => nearestName(sources(), symbols(), address));
  const symbol = remember(MAX_REMEMBERED, (name: string) => symbols().named(name));
  const cfiAt = (pc: number) => callFrames().rowAt(pc);
  const argumentReader = lazily<ArgumentReader>(() =>
    createArgumentReader({
      sources: sources(),
      callSites: callSites(),
      symbolAt,
      cfiAt,
      wholeFrameSizeAt: (pc, register) => callFrames().wholeFrameSizeAt(pc, register),
      keptByCalls: elf.architecture.keptByCalls,
    }),
  );
  const chips = lazily(() => chipsOfFirmware(elf.architecture, elf.sections, targetOf(elf)));
  const lacks = lazily(() => lacksOf(elf));
  const members = lazily<StructMembers>(() => createStructMembers(information()));
  return {
    sha256: hexOf(sha256(bytes)),
    machine: elf.architecture.name,
    get chips() {
      return chips();
    },
    sections: elf.sections.filter(({ index }) => index > 0).map(toFirmwareSection),
    appDescriptor: findAppDescriptor(elf),
    readAt,
    symbolAt,
    symbol,
    cfiAt,
    framesAt: (pc, context) =>
      framesAt({ sources: sources(), symbols: symbols(), argumentReader }, pc, context ?? null),
    tailCallsBetween: (calleePc, returnAddress) =>
      information().file.attempt('The tail calls', [], () =>
        callSites().tailCallsBetween(calleePc, returnAddress),
      ),
    lacks,
    notes: () => [...information().file.notes],
    structMember: (struct, path, usedBy) =>
      members()(struct, path, () =>
        usedBy === undefined ? null : (symbols().named(usedBy)?.address ?? null),
      ),
  };
}

function targetOf(elf: ElfFile): string | null {
  const table = elf.sections.find(({ type }) => type === SHT_SYMTAB);
  const names = table === undefined ? undefined : elf.sections[table.link];
  const contents = names === undefined ? null : elf.contentsOf(names);
  return contents === null ? null : targetInSymbols(contents.bytes);
}

/** A dump asks for some hundreds of addresses, and the dumps of a fleet for the same ones again. */
const MAX_REMEMBERED = 4_096;

/** Both sections, because each describes the code that was compiled for it. */
function openCallFrames(elf: ElfFile): CallFrames {
  const { stackPointer } = elf.architecture;
  const frameSections = elf.sections.flatMap((section): FrameSection[] => {
    const isExceptionFrame = section.name === '.eh_frame';
    if (!isExceptionFrame && section.name !== '.debug_frame' && section.name !== '.zdebug_frame') return [];
    const bytes = elf.contentsOf(section);
    return bytes === null ? [] : [{ bytes, isExceptionFrame, address: section.address, stackPointer }];
  });
  const occupied = elf.sections.filter(({ flags, size }) => (flags & SHF_ALLOC) !== 0 && size > 0);
  let latest: ElfSection | undefined;
  return readCallFrames(
    frameSections.sort((a, b) => Number(a.isExceptionFrame) - Number(b.isExceptionFrame)),
    (address) => {
      if (latest === undefined || !isIn(latest, address, 1)) latest = sectionOf(occupied, address, 1);
      return latest !== undefined;
    },
  );
}

function findAppDescriptor(elf: ElfFile): AppDescriptor | null {
  for (const name of APP_DESCRIPTOR_SECTIONS) {
    const contents = elf.contents(name);
    const descriptor = contents === null ? null : readAppDescriptor(contents.bytes);
    if (descriptor !== null) return descriptor;
  }
  return null;
}

/** A function has the name in its debug information, whatever aliases the symbol table has for it. */
function nearestName(sources: SourceLookup, symbols: SymbolTable, address: number): FirmwareSymbol | null {
  const symbol = symbols.at(address);
  const fn = sources.functionSymbolAt(address);
  if (fn === null || (symbol !== null && symbol.address > fn.address)) return symbol;
  // For a C++ function without a linkage name only the symbol table has the parameters.
  return symbol?.address === fn.address && symbol.name.startsWith(`${fn.name}(`) ? symbol : fn;
}

interface FrameSources {
  sources: SourceLookup;
  symbols: SymbolTable;
  argumentReader: () => ArgumentReader;
}

/** Uses debug information where it exists; otherwise the symbol table (assembly, libraries, ROM). */
function framesAt(from: FrameSources, pc: number, context: FrameContext | null): SourceFrame[] {
  const place = from.sources.at(pc);
  if (place === null || place.function === null) return symbolFrame(from, place?.row ?? null, pc, context);
  const fn = place.function;
  return place.frames.map(({ scope, name, file, line }, index) => ({
    function: name ?? from.symbols.functionAt(pc)?.name ?? null,
    file,
    line,
    inlined: scope.caller !== null,
    // The function around an inlined call has no separate address to show.
    atLineStart: index === 0 ? startsRow(place.row, pc, context) : line !== null,
    arguments: context === null ? [] : from.argumentReader().argumentsOf(scope, fn, pc, context),
  }));
}

function symbolFrame(
  { symbols }: FrameSources,
  row: LineRow | null,
  pc: number,
  context: FrameContext | null,
): SourceFrame[] {
  const symbol = symbols.functionAt(pc);
  if (symbol === null && row === null) return [];
  return [
    {
      function: symbol?.name ?? null,
      file: row?.file ?? null,
      line: row?.line ?? null,
      inlined: false,
      atLineStart: startsRow(row, pc, context),
      arguments: [],
    },
  ];
}

/** GDB omits the address where the pc, not that of the call, is the first of a statement. */
function startsRow(row: LineRow | null, pc: number, context: FrameContext | null): boolean {
  return row?.isStatement === true && row.start === (context?.pc ?? pc);
}

/** Code may be marked writable, and ESP-IDF's constants are: no program writes into flash. */
function isConstant({ name, flags, type, size }: ElfSection): boolean {
  if ((flags & SHF_ALLOC) === 0 || type === SHT_NOBITS || size === 0) return false;
  return (flags & SHF_WRITE) === 0 || (flags & SHF_EXECINSTR) !== 0 || name.startsWith('.flash.');
}

function sectionOf(sections: readonly ElfSection[], address: number, length: number): ElfSection | undefined {
  for (const section of sections) if (isIn(section, address, length)) return section;
  return undefined;
}

function isIn(section: ElfSection, address: number, length: number): boolean {
  return address >= section.address && address + length <= section.address + section.size;
}

function readLoaded(
  bytes: Uint8Array,
  constants: readonly ElfSection[],
  address: number,
  length: number,
): Uint8Array | null {
  const section = sectionOf(constants, address, length);
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

function lazily<T extends object>(read: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= read();
    return value;
  };
}
