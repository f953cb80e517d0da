import type { ByteReader } from '../bytes.js';
import { demangle, identifierPath } from '../demangle/demangle.js';
import { ascending, lastAtOrBefore } from '../order.js';
import { type ElfFile, type ElfSection, SHF_ALLOC, SHF_EXECINSTR, SHT_SYMTAB } from './elf-file.js';

/** Names of addresses from `.symtab`, chosen as GDB does. Names of C++ and Rust are demangled, with parameters. */
export interface SymbolTable {
  /** The symbol that covers the address: `<name+offset>`. */
  at(address: number): FirmwareSymbol | null;
  /** The same for code addresses: labels without a size count too, up to the next symbol. */
  functionAt(address: number): FirmwareSymbol | null;
  /** The address of a symbol by its linker name. */
  named(name: string): FirmwareSymbol | null;
}

export interface FirmwareSymbol {
  name: string;
  address: number;
  /** Bytes; 0 when the symbol table has no size. */
  size: number;
}

/** The raw table, four words per symbol: a dump needs few of the thousands of symbols, and only those are decoded. */
interface Table {
  readonly words: Uint32Array;
  readonly strings: ByteReader;
  /** The useful symbols by the index of their section; ROM symbols, which a linker script defines, by `ABSOLUTE`. */
  readonly bySection: ReadonlyMap<number, number[]>;
}

/** The symbols of one section. */
interface SectionSymbols {
  /** Ascending. */
  readonly addresses: readonly number[];
  /** For each address, the symbol's index in the table. */
  readonly symbols: Uint32Array;
  /** For each address, the last symbol up to it that has a size; -1 where there is none. */
  readonly lastSized: Int32Array;
}

const ABSOLUTE = -1;
/** A few linear searches are cheap; after this number an index is built. */
const MAX_SEARCHES = 16;
const WORDS = 4;
const STT_NOTYPE = 0;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const STB_LOCAL = 0;
const SHN_ABS = 0xfff1;
const SHN_LORESERVE = 0xff00;
/** Sizes and counts that linker scripts define look like low addresses; those of ROM are higher. */
const LOWEST_ROM_ADDRESS = 0x1000;

/** An ELF without a symbol table, or with a broken one, has no symbols. */
export function readSymbols(elf: ElfFile): SymbolTable {
  const table = readTable(elf);
  if (table === null) return { at: () => null, functionAt: () => null, named: () => null };
  const allocated = elf.sections.filter(({ flags, size }) => (flags & SHF_ALLOC) !== 0 && size > 0);
  const bySection = new Map<number, SectionSymbols>();
  let byName: Map<string, number> | undefined;
  let searches = 0;

  const symbolsOf = (section: number): SectionSymbols => {
    const symbols = bySection.get(section) ?? sorted(table, table.bySection.get(section) ?? []);
    bySection.set(section, symbols);
    return symbols;
  };
  const find = (address: number, isAcceptable: (section: ElfSection, size: number) => boolean) => {
    const section = allocated.find(({ address: start, size }) => address >= start && address < start + size);
    if (section === undefined) return exactly(table, symbolsOf(ABSOLUTE), address);
    const symbol = covering(table, symbolsOf(section.index), address);
    return symbol !== null && isAcceptable(section, sizeOf(table, symbol)) ? published(table, symbol) : null;
  };
  const isCode = ({ flags }: ElfSection) => (flags & SHF_EXECINSTR) !== 0;
  return {
    at: (address) => find(address, (section, size) => isCode(section) || size > 0),
    functionAt: (address) => find(address, isCode),
    named(name) {
      if (++searches > MAX_SEARCHES) byName ??= indexByName(table);
      const symbol = byName === undefined ? search(table, name) : byName.get(name);
      return symbol === undefined ? null : { name, ...placeOf(table, symbol) };
    },
  };
}

function readTable(elf: ElfFile): Table | null {
  const section = elf.sections.find(({ type }) => type === SHT_SYMTAB);
  const contents = section === undefined ? null : elf.contentsOf(section);
  const stringSection = section === undefined ? undefined : elf.sections[section.link];
  const strings = stringSection === undefined ? null : elf.contentsOf(stringSection);
  if (contents === null || strings === null) return null;
  const words = contents.words(Math.floor(contents.length / (WORDS * 4)) * WORDS);
  return { words, strings, bySection: groupBySection(elf, words, strings.bytes) };
}

function groupBySection(elf: ElfFile, words: Uint32Array, strings: Uint8Array): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  const isAllocated = elf.sections.map(({ flags }) => (flags & SHF_ALLOC) !== 0);
  const lastEnd = strings.lastIndexOf(0);
  for (let at = 0; at < words.length; at += WORDS) {
    const nameAt = words[at] ?? 0;
    const info = words[at + 3] ?? 0;
    const type = info & 0xf;
    if (type !== STT_NOTYPE && type !== STT_OBJECT && type !== STT_FUNC) continue;
    let section = info >>> 16;
    if (section === SHN_ABS) {
      if ((words[at + 1] ?? 0) < LOWEST_ROM_ADDRESS) continue;
      section = ABSOLUTE;
    } else if (section >= SHN_LORESERVE || isAllocated[section] !== true) continue;
    if (nameAt > lastEnd || !isWritten(strings, nameAt)) continue;
    const group = groups.get(section);
    if (group === undefined) groups.set(section, [at / WORDS]);
    else group.push(at / WORDS);
  }
  return groups;
}

/** Mapping symbols (`$x`) and assembler-local labels (`.L1`) are not names from source code. */
function isWritten(strings: Uint8Array, at: number): boolean {
  const first = strings[at];
  return first !== 0 && first !== 0x24 && !(first === 0x2e && strings[at + 1] === 0x4c);
}

/** Of several names for one address the alphabetically last one is used. */
function sorted(table: Table, group: readonly number[]): SectionSymbols {
  const order = ascending(group.map((symbol) => addressOf(table, symbol)));
  const symbols = order.map((index) => group[index] ?? 0);
  const addresses = Array.from(symbols, (symbol) => addressOf(table, symbol));
  for (let from = 0, to = 1; from < addresses.length; from = to++) {
    while (to < addresses.length && addresses[to] === addresses[from]) to++;
    if (to - from > 1) sortByName(table, symbols.subarray(from, to));
  }
  const lastSized = new Int32Array(symbols.length);
  let last = -1;
  for (const [index, symbol] of symbols.entries()) {
    if (sizeOf(table, symbol) > 0) last = index;
    lastSized[index] = last;
  }
  return { addresses, symbols, lastSized };
}

function sortByName(table: Table, symbols: Uint32Array): void {
  const named = Array.from(symbols, (symbol) => ({ symbol, name: nameOf(table, symbol) }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  symbols.set(named.map(({ symbol }) => symbol));
}

/** A symbol with a size takes precedence over a nearer label without one, but only within its size. */
function covering(
  table: Table,
  { addresses, symbols, lastSized }: SectionSymbols,
  address: number,
): number | null {
  const nearest = lastAtOrBefore(addresses, address);
  const sized = lastSized[nearest] ?? -1;
  for (const symbol of [symbols[sized], symbols[sized - 1]]) {
    if (symbol !== undefined && address < addressOf(table, symbol) + sizeOf(table, symbol)) return symbol;
  }
  return nearest > sized ? (symbols[nearest] ?? null) : null;
}

/** A ROM label marks where something begins, but not how far it extends. */
function exactly(
  table: Table,
  { addresses, symbols }: SectionSymbols,
  address: number,
): FirmwareSymbol | null {
  const index = lastAtOrBefore(addresses, address);
  const symbol = symbols[index];
  return symbol !== undefined && addresses[index] === address ? published(table, symbol) : null;
}

function published(table: Table, symbol: number): FirmwareSymbol {
  const name = nameOf(table, symbol);
  const readable = demangle(name) ?? identifierPath(name) ?? withoutNumber(name);
  return { name: readable, ...placeOf(table, symbol) };
}

function placeOf(table: Table, symbol: number): { address: number; size: number } {
  return { address: addressOf(table, symbol), size: sizeOf(table, symbol) };
}

function nameOf({ strings, words }: Table, symbol: number): string {
  strings.seek(words[symbol * WORDS] ?? 0);
  return strings.cString();
}

function addressOf({ words }: Table, symbol: number): number {
  return words[symbol * WORDS + 1] ?? 0;
}

function sizeOf({ words }: Table, symbol: number): number {
  return words[symbol * WORDS + 2] ?? 0;
}

function isGlobal({ words }: Table, symbol: number): boolean {
  return (((words[symbol * WORDS + 3] ?? 0) >>> 4) & 0xf) !== STB_LOCAL;
}

/** GCC numbers static variables and copies of functions, `line.0`; GDB takes the number for an Ada overload number. */
function withoutNumber(name: string): string {
  return name.replace(/^([a-z][a-z0-9_.]*)\.\d+$/, '$1');
}

/** Of several symbols with one name the last global one is used, otherwise the first. */
function search(table: Table, name: string): number | undefined {
  const { bytes } = table.strings;
  const text = Buffer.from(`${name}\0`);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // Linkers share the ends of names: a name may begin in the middle of a longer one.
  const places = new Set<number>();
  for (let at = buffer.indexOf(text); at >= 0; at = buffer.indexOf(text, at + 1)) places.add(at);
  if (places.size === 0) return undefined;
  return chosen(table, (symbol) => places.has(table.words[symbol * WORDS] ?? 0));
}

function chosen(table: Table, isMeant: (symbol: number) => boolean): number | undefined {
  const meant = [...table.bySection.values()].flatMap((symbols) => symbols.filter(isMeant));
  meant.sort((a, b) => a - b);
  return meant.findLast((symbol) => isGlobal(table, symbol)) ?? meant[0];
}

/** The address index for all names. */
function indexByName(table: Table): Map<string, number> {
  const byName = new Map<string, number>();
  const symbols = [...table.bySection.values()].flat().sort((a, b) => a - b);
  for (const symbol of symbols) {
    const name = nameOf(table, symbol);
    if (isGlobal(table, symbol) || !byName.has(name)) byName.set(name, symbol);
  }
  return byName;
}
