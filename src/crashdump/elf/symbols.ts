import type { ByteReader } from '../bytes.js';
import type { FirmwareSymbol } from '../firmware-image.js';
import { demangle } from './demangle.js';
import { type ElfFile, type ElfSection, nameIn, SHF_ALLOC, SHF_EXECINSTR, SHT_SYMTAB } from './elf-file.js';

/** Names of addresses from `.symtab`, chosen as GDB chooses them. C++ names are demangled, with parameters. */
export interface SymbolTable {
  /** What covers the address: `<name+offset>`. */
  at(address: number): FirmwareSymbol | null;
  /** The same where there is code; labels without a size count too, up to the next symbol. */
  functionAt(address: number): FirmwareSymbol | null;
  /** By the name that the linker knows. */
  named(name: string): FirmwareSymbol | null;
}

interface Entry extends FirmwareSymbol {
  /** Index of its section; null for ROM addresses that a linker script names. */
  section: number | null;
  isGlobal: boolean;
}

/** The symbols of one section, by address. */
interface SectionSymbols {
  entries: readonly Entry[];
  /** For each entry, the last one up to it that has a size; -1 where there is none. */
  lastSized: Int32Array;
}

const SYMBOL_SIZE = 16;
const STT_NOTYPE = 0;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const STB_LOCAL = 0;
const SHN_ABS = 0xfff1;
const SHN_LORESERVE = 0xff00;
/** Sizes and counts that linker scripts define look like addresses; those of ROM are higher. */
const LOWEST_ROM_ADDRESS = 0x1000;

/** An ELF without a symbol table, or with a broken one, has no symbols. */
export function readSymbols(elf: ElfFile): SymbolTable {
  const entries = [...readEntries(elf)];
  const allocated = elf.sections.filter(({ flags, size }) => (flags & SHF_ALLOC) !== 0 && size > 0);
  const bySection = new Map<number | null, SectionSymbols>();
  for (const [section, own] of groupBySection(entries)) bySection.set(section, sorted(own));
  let byName: Map<string, Entry> | undefined;

  const find = (address: number, isAcceptable: (section: ElfSection, symbol: Entry) => boolean) => {
    const section = allocated.find(({ address: start, size }) => address >= start && address < start + size);
    if (section === undefined) return exactly(bySection.get(null), address);
    const symbols = bySection.get(section.index);
    const symbol = symbols === undefined ? null : covering(symbols, address);
    return symbol !== null && isAcceptable(section, symbol) ? published(symbol) : null;
  };
  const isCode = ({ flags }: ElfSection) => (flags & SHF_EXECINSTR) !== 0;
  return {
    at: (address) => find(address, (section, { size }) => isCode(section) || size > 0),
    functionAt: (address) => find(address, isCode),
    named(name) {
      byName ??= indexByName(entries);
      return byName.get(name) ?? null;
    },
  };
}

function* readEntries(elf: ElfFile): Generator<Entry> {
  const section = elf.sections.find(({ type }) => type === SHT_SYMTAB);
  const table = section === undefined ? null : elf.contentsOf(section);
  const stringSection = section === undefined ? undefined : elf.sections[section.link];
  const strings = stringSection === undefined ? null : elf.contentsOf(stringSection);
  if (table === null || strings === null) return;
  while (table.remaining >= SYMBOL_SIZE) {
    const entry = readEntry(elf, table.split('symbol', SYMBOL_SIZE), strings);
    if (entry !== null) yield entry;
  }
}

function readEntry(elf: ElfFile, symbol: ByteReader, strings: ByteReader): Entry | null {
  const nameAt = symbol.u32();
  const address = symbol.u32();
  const size = symbol.u32();
  const info = symbol.u8();
  symbol.skip(1);
  const sectionIndex = symbol.u16();
  const type = info & 0xf;
  if (type !== STT_NOTYPE && type !== STT_OBJECT && type !== STT_FUNC) return null;
  const isAbsolute = sectionIndex === SHN_ABS;
  if (isAbsolute && address < LOWEST_ROM_ADDRESS) return null;
  if (!isAbsolute && (sectionIndex >= SHN_LORESERVE || !isAllocated(elf.sections[sectionIndex]))) return null;
  const name = nameIn(strings, nameAt);
  // Mapping symbols and assembler-local labels are not names that anybody wrote.
  if (name === '' || name.startsWith('$') || name.startsWith('.L')) return null;
  return {
    name,
    address,
    size,
    section: isAbsolute ? null : sectionIndex,
    isGlobal: info >> 4 !== STB_LOCAL,
  };
}

function isAllocated(section: ElfSection | undefined): boolean {
  return section !== undefined && (section.flags & SHF_ALLOC) !== 0;
}

function groupBySection(entries: readonly Entry[]): Map<number | null, Entry[]> {
  const groups = new Map<number | null, Entry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.section);
    if (group === undefined) groups.set(entry.section, [entry]);
    else group.push(entry);
  }
  return groups;
}

/** Of several names for one address the alphabetically last one is taken. */
function sorted(group: readonly Entry[]): SectionSymbols {
  const entries = group.toSorted((a, b) => a.address - b.address || (a.name < b.name ? -1 : 1));
  const lastSized = new Int32Array(entries.length);
  let last = -1;
  for (const [index, { size }] of entries.entries()) {
    if (size > 0) last = index;
    lastSized[index] = last;
  }
  return { entries, lastSized };
}

/** A symbol that has a size counts before a nearer label that has none, but only as far as its size reaches. */
function covering({ entries, lastSized }: SectionSymbols, address: number): Entry | null {
  const nearest = lastAtOrBefore(entries, address);
  const sized = lastSized[nearest] ?? -1;
  for (const candidate of [entries[sized], entries[sized - 1]]) {
    if (candidate !== undefined && address < candidate.address + candidate.size) return candidate;
  }
  return nearest > sized ? (entries[nearest] ?? null) : null;
}

/** A ROM label says where something begins, not how far it goes. */
function exactly(symbols: SectionSymbols | undefined, address: number): FirmwareSymbol | null {
  if (symbols === undefined) return null;
  const entry = symbols.entries[lastAtOrBefore(symbols.entries, address)];
  return entry?.address === address ? published(entry) : null;
}

function lastAtOrBefore(entries: readonly Entry[], address: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.address ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function published({ name, address, size }: Entry): FirmwareSymbol {
  return { name: demangle(name) ?? withoutNumber(name), address, size };
}

/** GCC numbers static variables and copies of functions, `line.0`; GDB takes that for an overload number of Ada's. */
function withoutNumber(name: string): string {
  return name.replace(/^([a-z][a-z0-9_.]*)\.\d+$/, '$1');
}

function indexByName(entries: readonly Entry[]): Map<string, Entry> {
  const byName = new Map<string, Entry>();
  for (const entry of entries) {
    if (entry.isGlobal || !byName.has(entry.name)) byName.set(entry.name, entry);
  }
  return byName;
}
