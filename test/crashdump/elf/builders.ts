/** ELF files and DWARF sections, byte by byte, so that tests can say what is wrong with them. */

export interface SectionSpec {
  name: string;
  bytes: Uint8Array;
  type?: number;
  flags?: number;
  address?: number;
  link?: number;
  entrySize?: number;
  /** What the header claims, when that differs from what is there. */
  claimedOffset?: number;
  claimedSize?: number;
}

export interface ElfSpec {
  machine?: number;
  type?: number;
  elfClass?: number;
  encoding?: number;
  sections?: SectionSpec[];
  /** Index of the section with the names; the last one, which is added, unless given. */
  namesIndex?: number;
  sectionEntrySize?: number;
  sectionsAt?: number;
}

export const MACHINE = { xtensa: 0x5e, riscv: 0xf3 } as const;
export const ALLOC = 0x2;
export const EXEC = 0x4;
export const COMPRESSED = 0x800;

/** A statically linked firmware ELF: header, sections, section headers, names. */
export function anElf({
  machine = MACHINE.riscv,
  type = 2,
  elfClass = 1,
  encoding = 1,
  ...spec
}: ElfSpec = {}): Uint8Array {
  const named = [{ name: '', bytes: new Uint8Array(0), type: 0 }, ...(spec.sections ?? [])];
  const names = [...named.map(({ name }) => name), '.shstrtab'];
  const nameTable = strings(names);
  const all: SectionSpec[] = [...named, { name: '.shstrtab', bytes: nameTable.bytes, type: 3 }];

  const chunks: Uint8Array[] = [];
  let offset = 52;
  const headers = all.map((section, index) => {
    const header = words(
      nameTable.offsets[index] ?? 0,
      section.type ?? 1,
      section.flags ?? 0,
      section.address ?? 0,
      section.claimedOffset ?? offset,
      section.claimedSize ?? section.bytes.length,
      section.link ?? 0,
      0,
      1,
      section.entrySize ?? 0,
    );
    chunks.push(section.bytes);
    offset += section.bytes.length;
    return header;
  });
  const header = concat(
    Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, elfClass, encoding, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    halves(type, machine),
    words(1, 0, 0, spec.sectionsAt ?? offset, 0),
    halves(52, 32, 0, spec.sectionEntrySize ?? 40, all.length, spec.namesIndex ?? all.length - 1),
  );
  return concat(header, ...chunks, ...headers);
}

export interface SymbolSpec {
  name: string;
  address: number;
  size?: number;
  /** STT_…: 0 none, 1 object, 2 function. */
  type?: number;
  section: number;
  global?: boolean;
}

/** `.symtab` and `.strtab`, to be put behind `before` other sections (section 0 not counted). */
export function symbolSections(before: number, symbols: SymbolSpec[], entrySize = 16): SectionSpec[] {
  const names = strings(symbols.map(({ name }) => name));
  const entries = symbols.map(({ address, size = 0, type = 2, section, global = true }, index) =>
    concat(
      words(names.offsets[index] ?? 0, address, size),
      Uint8Array.of(((global ? 1 : 0) << 4) | type, 0),
      halves(section),
    ),
  );
  return [
    { name: '.symtab', type: 2, bytes: concat(...entries), link: before + 2, entrySize },
    { name: '.strtab', type: 3, bytes: names.bytes },
  ];
}

/** NUL-terminated texts one after the other, after an empty one. */
function strings(texts: readonly string[]): { bytes: Uint8Array; offsets: number[] } {
  const offsets: number[] = [];
  let bytes: Uint8Array = Uint8Array.of(0);
  for (const text of texts) {
    offsets.push(text === '' ? 0 : bytes.length);
    if (text !== '') bytes = concat(bytes, cString(text));
  }
  return { bytes, offsets };
}

export function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value >>> 0, true);
  return bytes;
}

export function halves(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint16(index * 2, value, true);
  return bytes;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

export function cString(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(`${text}\0`));
}

export function uleb(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

/** A length, then what it counts. */
export function withLength(body: Uint8Array): Uint8Array {
  return concat(words(body.length), body);
}

/** `code tag hasChildren (attribute form)*` of one abbreviation. */
export function abbreviation(
  code: number,
  tag: number,
  hasChildren: boolean,
  ...pairs: [number, number][]
): Uint8Array {
  const attributes = pairs.map(([name, form]) => concat(uleb(name), uleb(form)));
  return concat(
    uleb(code),
    uleb(tag),
    Uint8Array.of(hasChildren ? 1 : 0),
    ...attributes,
    Uint8Array.of(0, 0),
  );
}

/** A DWARF 4 unit whose entries are given as bytes. */
export function unit(entries: Uint8Array, abbreviationsAt = 0, version = 4): Uint8Array {
  return withLength(concat(halves(version), words(abbreviationsAt), Uint8Array.of(4), entries));
}
