import type { ByteReader } from '../bytes.js';
import type { FirmwareSymbol } from '../firmware-image.js';
import { ascending, lastAtOrBefore } from '../order.js';
import { demangle } from './demangle.js';
import { type ElfFile, type ElfSection, SHF_ALLOC, SHF_EXECINSTR, SHT_SYMTAB } from './elf-file.js';

/** Names of addresses from `.symtab`, chosen as GDB chooses them. C++ names are demangled, with parameters. */
export interface SymbolTable {
  /** What covers the address: `<name+offset>`. */
  at(address: number): FirmwareSymbol | null;
  /** The same where there is code; labels without a size count too, up to the next symbol. */
  functionAt(address: number): FirmwareSymbol | null;
  /** By the name that the linker knows. */
  named(name: string): FirmwareSymbol | null;
}

/** What symbols there are, in columns: of thousands a dump asks for dozens, and only those get a name. */
interface Columns {
  readonly strings: ByteReader;
  /** Offsets in `strings`. */
  readonly names: number[];
  readonly addresses: number[];
  readonly sizes: number[];
  /** Indices of their sections; `ABSOLUTE` for ROM addresses that a linker script names. */
  readonly sections: number[];
  readonly areGlobal: boolean[];
}

/** The symbols of one section. */
interface SectionSymbols {
  /** Ascending. */
  readonly addresses: readonly number[];
  /** For each address, the symbol's position in the columns. */
  readonly positions: Uint32Array;
  /** For each address, the last one up to it whose symbol has a size; -1 where there is none. */
  readonly lastSized: Int32Array;
}

const ABSOLUTE = -1;
/** Looking through the names is quick; whoever asks more often gets an index. */
const MAX_SEARCHES = 16;
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
  const columns = readColumns(elf);
  if (columns === null) return { at: () => null, functionAt: () => null, named: () => null };
  const allocated = elf.sections.filter(({ flags, size }) => (flags & SHF_ALLOC) !== 0 && size > 0);
  const groups = groupBySection(columns);
  const bySection = new Map<number, SectionSymbols>();
  let byName: Map<string, number> | undefined;
  let searches = 0;

  const symbolsOf = (section: number): SectionSymbols => {
    const symbols = bySection.get(section) ?? sorted(columns, groups.get(section) ?? []);
    bySection.set(section, symbols);
    return symbols;
  };
  const find = (address: number, isAcceptable: (section: ElfSection, size: number) => boolean) => {
    const section = allocated.find(({ address: start, size }) => address >= start && address < start + size);
    if (section === undefined) return exactly(columns, symbolsOf(ABSOLUTE), address);
    const position = covering(columns, symbolsOf(section.index), address);
    if (position === null || !isAcceptable(section, columns.sizes[position] ?? 0)) return null;
    return published(columns, position);
  };
  const isCode = ({ flags }: ElfSection) => (flags & SHF_EXECINSTR) !== 0;
  return {
    at: (address) => find(address, (section, size) => isCode(section) || size > 0),
    functionAt: (address) => find(address, isCode),
    named(name) {
      if (++searches > MAX_SEARCHES) byName ??= indexByName(columns);
      const position = byName === undefined ? search(columns, name) : byName.get(name);
      return position === undefined ? null : { name, ...placeOf(columns, position) };
    },
  };
}

function readColumns(elf: ElfFile): Columns | null {
  const section = elf.sections.find(({ type }) => type === SHT_SYMTAB);
  const table = section === undefined ? null : elf.contentsOf(section);
  const stringSection = section === undefined ? undefined : elf.sections[section.link];
  const strings = stringSection === undefined ? null : elf.contentsOf(stringSection);
  if (table === null || strings === null) return null;
  const isAllocatedAt = elf.sections.map(({ flags }) => (flags & SHF_ALLOC) !== 0);
  const lastEnd = strings.bytes.lastIndexOf(0);
  const columns: Columns = { strings, names: [], addresses: [], sizes: [], sections: [], areGlobal: [] };
  while (table.remaining >= SYMBOL_SIZE) {
    const nameAt = table.u32();
    const address = table.u32();
    const size = table.u32();
    const info = table.u8();
    table.u8();
    const sectionIndex = table.u16();
    const type = info & 0xf;
    if (type !== STT_NOTYPE && type !== STT_OBJECT && type !== STT_FUNC) continue;
    const isAbsolute = sectionIndex === SHN_ABS;
    if (isAbsolute && address < LOWEST_ROM_ADDRESS) continue;
    if (!isAbsolute && (sectionIndex >= SHN_LORESERVE || isAllocatedAt[sectionIndex] !== true)) continue;
    if (nameAt > lastEnd || !isWritten(strings.bytes, nameAt)) continue;
    columns.names.push(nameAt);
    columns.addresses.push(address);
    columns.sizes.push(size);
    columns.sections.push(isAbsolute ? ABSOLUTE : sectionIndex);
    columns.areGlobal.push(info >> 4 !== STB_LOCAL);
  }
  return columns;
}

/** Mapping symbols (`$x`) and assembler-local labels (`.L1`) are not names that anybody wrote. */
function isWritten(strings: Uint8Array, at: number): boolean {
  const first = strings[at];
  return first !== 0 && first !== 0x24 && !(first === 0x2e && strings[at + 1] === 0x4c);
}

function groupBySection({ sections }: Columns): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const [position, section] of sections.entries()) {
    const group = groups.get(section);
    if (group === undefined) groups.set(section, [position]);
    else group.push(position);
  }
  return groups;
}

/** Of several names for one address the alphabetically last one is taken. */
function sorted(columns: Columns, group: readonly number[]): SectionSymbols {
  const unsorted = group.map((position) => columns.addresses[position] ?? 0);
  const positions = ascending(unsorted).map((index) => group[index] ?? 0);
  const addresses = Array.from(positions, (position) => columns.addresses[position] ?? 0);
  for (let from = 0, to = 1; from < addresses.length; from = to++) {
    while (to < addresses.length && addresses[to] === addresses[from]) to++;
    if (to - from > 1) sortByName(columns, positions.subarray(from, to));
  }
  const lastSized = new Int32Array(positions.length);
  let last = -1;
  for (const [index, position] of positions.entries()) {
    if ((columns.sizes[position] ?? 0) > 0) last = index;
    lastSized[index] = last;
  }
  return { addresses, positions, lastSized };
}

function sortByName(columns: Columns, positions: Uint32Array): void {
  const named = Array.from(positions, (position) => ({ position, name: nameOf(columns, position) }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  positions.set(named.map(({ position }) => position));
}

/** A symbol that has a size counts before a nearer label that has none, but only as far as its size reaches. */
function covering(
  { sizes }: Columns,
  { addresses, positions, lastSized }: SectionSymbols,
  address: number,
): number | null {
  const nearest = lastAtOrBefore(addresses, address);
  const sized = lastSized[nearest] ?? -1;
  for (const index of [sized, sized - 1]) {
    const position = positions[index];
    if (position !== undefined && address < (addresses[index] ?? 0) + (sizes[position] ?? 0)) return position;
  }
  return nearest > sized ? (positions[nearest] ?? null) : null;
}

/** A ROM label says where something begins, not how far it goes. */
function exactly(
  columns: Columns,
  { addresses, positions }: SectionSymbols,
  address: number,
): FirmwareSymbol | null {
  const index = lastAtOrBefore(addresses, address);
  const position = positions[index];
  return position !== undefined && addresses[index] === address ? published(columns, position) : null;
}

function published(columns: Columns, position: number): FirmwareSymbol {
  const name = nameOf(columns, position);
  return { name: demangle(name) ?? withoutNumber(name), ...placeOf(columns, position) };
}

function placeOf({ addresses, sizes }: Columns, position: number): { address: number; size: number } {
  return { address: addresses[position] ?? 0, size: sizes[position] ?? 0 };
}

function nameOf({ strings, names }: Columns, position: number): string {
  strings.seek(names[position] ?? 0);
  return strings.cString();
}

/** GCC numbers static variables and copies of functions, `line.0`; GDB takes that for an overload number of Ada's. */
function withoutNumber(name: string): string {
  return name.replace(/^([a-z][a-z0-9_.]*)\.\d+$/, '$1');
}

/** Of several symbols of a name the last global one counts, else the first. */
function search({ strings, names, areGlobal }: Columns, name: string): number | undefined {
  const text = Buffer.from(`${name}\0`);
  const bytes = Buffer.from(strings.bytes.buffer, strings.bytes.byteOffset, strings.length);
  const found: number[] = [];
  // Linkers let a name begin in the middle of another that ends alike.
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    for (let position = names.indexOf(at); position >= 0; position = names.indexOf(at, position + 1)) {
      found.push(position);
    }
  }
  found.sort((a, b) => a - b);
  return found.findLast((position) => areGlobal[position] === true) ?? found[0];
}

/** The same for all names. */
function indexByName(columns: Columns): Map<string, number> {
  const byName = new Map<string, number>();
  for (const [position, isGlobal] of columns.areGlobal.entries()) {
    const name = nameOf(columns, position);
    if (isGlobal || !byName.has(name)) byName.set(name, position);
  }
  return byName;
}
