import type { ByteReader } from '../bytes.js';
import type { FirmwareSymbol } from '../firmware-image.js';
import { type ElfFile, nameIn, SHF_ALLOC, SHT_SYMTAB } from './elf-file.js';

export interface SymbolTable {
  /** Function or object that covers the address: `<name+offset>` as GDB prints it. */
  at(address: number): FirmwareSymbol | null;
  /** The function that covers the address. */
  functionAt(address: number): FirmwareSymbol | null;
  named(name: string): FirmwareSymbol | null;
}

interface Entry extends FirmwareSymbol {
  isFunction: boolean;
  isGlobal: boolean;
  /** A ROM address that a linker script names: it says where something begins, not how far it goes. */
  isAbsolute: boolean;
}

const SYMBOL_SIZE = 16;
const STT_NOTYPE = 0;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const STB_GLOBAL = 1;
const SHN_ABS = 0xfff1;
const SHN_LORESERVE = 0xff00;

/** How far to look back for a symbol that covers an address when nearer ones end before it. */
const LOOK_BACK = 32;

/** Reads `.symtab`; an ELF without one, or with a broken one, has no symbols. */
export function readSymbols(elf: ElfFile): SymbolTable {
  const entries = [...readEntries(elf)].sort(byAddress);
  const functions = entries.filter(({ isFunction }) => isFunction);
  let byName: Map<string, Entry> | undefined;
  return {
    at: (address) => covering(entries, address),
    functionAt: (address) => covering(functions, address),
    named(name) {
      byName ??= indexByName(entries);
      return byName.get(name) ?? null;
    },
  };
}

function* readEntries(elf: ElfFile): Generator<Entry> {
  const section = elf.sections.find(({ type }) => type === SHT_SYMTAB);
  const table = section === undefined ? null : elf.contents(section.name);
  const stringSection = section === undefined ? undefined : elf.sections[section.link];
  const strings = stringSection === undefined ? null : elf.contents(stringSection.name);
  if (table === null || strings === null) return;
  for (let count = Math.floor(table.length / SYMBOL_SIZE); count > 0; count--) {
    const entry = readEntry(elf, table, strings);
    if (entry !== null) yield entry;
  }
}

function readEntry(elf: ElfFile, table: ByteReader, strings: ByteReader): Entry | null {
  const nameAt = table.u32();
  const address = table.u32();
  const size = table.u32();
  const info = table.u8();
  table.skip(1);
  const sectionIndex = table.u16();
  const type = info & 0xf;
  if (type !== STT_NOTYPE && type !== STT_OBJECT && type !== STT_FUNC) return null;
  // ROM functions are absolute symbols that the linker script provides; other labels without a section mean nothing.
  const isAbsolute = sectionIndex === SHN_ABS;
  const section = sectionIndex < SHN_LORESERVE ? elf.sections[sectionIndex] : undefined;
  if (!isAbsolute && (section === undefined || (section.flags & SHF_ALLOC) === 0)) return null;
  if (isAbsolute && type === STT_NOTYPE && address < 0x1000) return null;
  const name = nameIn(strings, nameAt);
  // Mapping symbols and assembler-local labels are not names that anybody wrote.
  if (name === '' || name.startsWith('$') || name.startsWith('.L')) return null;
  const isCode = section !== undefined && (section.flags & 0x4) !== 0;
  return {
    name,
    address,
    size,
    isFunction: type === STT_FUNC || (type === STT_NOTYPE && isCode),
    isGlobal: info >> 4 === STB_GLOBAL,
    isAbsolute,
  };
}

/** At one address the last is taken: sized before unsized, global before local. */
function byAddress(a: Entry, b: Entry): number {
  return (
    a.address - b.address ||
    Number(a.size > 0) - Number(b.size > 0) ||
    Number(a.isGlobal) - Number(b.isGlobal) ||
    (a.name < b.name ? 1 : -1)
  );
}

function covering(entries: readonly Entry[], address: number): FirmwareSymbol | null {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.address ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  for (let index = low - 1; index >= Math.max(0, low - LOOK_BACK); index--) {
    const entry = entries[index];
    if (entry === undefined) break;
    if (entry.isAbsolute ? address === entry.address : covers(entry, address, index === low - 1))
      return entry;
  }
  return null;
}

/** A symbol without a size covers what lies up to the next one. */
function covers({ address: start, size }: Entry, address: number, isNearest: boolean): boolean {
  return size > 0 ? address < start + size : isNearest;
}

function indexByName(entries: readonly Entry[]): Map<string, Entry> {
  const byName = new Map<string, Entry>();
  for (const entry of entries) {
    if (entry.isGlobal || !byName.has(entry.name)) byName.set(entry.name, entry);
  }
  return byName;
}
