import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a ZIP archive; everything that is not given is as an honest program would write it. */
export interface ZipEntry {
  name: string;
  content?: Uint8Array | string;
  /** 8 deflate (default), 0 stored, anything else is stored under that label */
  method?: number;
  /** General purpose bits: 1 encrypted, 0x800 UTF-8 name. */
  flags?: number;
  /** Unix mode, upper half of the external attributes. */
  mode?: number;
  /** Lies. */
  localName?: string;
  declaredSize?: number;
  checksum?: number;
  /** Takes the bytes of the entry with this index instead of its own. */
  sharesBytesOf?: number;
  extra?: Uint8Array;
}

/** Writes a ZIP archive byte by byte (PKWARE APPNOTE 4.3), so that a test can lie in any field. */
export function aZip(
  entries: readonly ZipEntry[],
  { declaredEntries = entries.length, comment = '' } = {},
): Buffer {
  const parts: Buffer[] = [];
  const contents: Buffer[] = [];
  const offsets: number[] = [];
  let position = 0;
  for (const entry of entries) {
    const { data, header } = encode(entry, entries);
    const name = Buffer.from(entry.localName ?? entry.name);
    const isShared = entry.sharesBytesOf !== undefined;
    offsets.push(isShared ? (offsets[entry.sharesBytesOf ?? 0] ?? 0) : position);
    if (!isShared) {
      const local = Buffer.alloc(30);
      local.writeUInt32LE(0x04034b50, 0);
      header.copy(local, 4);
      local.writeUInt16LE(name.length, 26);
      parts.push(local, name, data);
      position += local.length + name.length + data.length;
    }
    contents.push(centralHeader(entry, header, offsets.at(-1) ?? 0));
  }
  const directory = Buffer.concat(contents);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(declaredEntries, 0xffff), 8);
  end.writeUInt16LE(Math.min(declaredEntries, 0xffff), 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(position, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, directory, end, Buffer.from(comment)]);
}

/** The 22 bytes that local and central header have in common: version needed to uncompressed size. */
function encode(entry: ZipEntry, entries: readonly ZipEntry[]): { data: Buffer; header: Buffer } {
  const source = entry.sharesBytesOf === undefined ? entry : (entries[entry.sharesBytesOf] ?? entry);
  const content = Buffer.from(source.content ?? '');
  const method = entry.method ?? 8;
  const data = method === 8 ? deflateRawSync(content) : content;
  const header = Buffer.alloc(22);
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(entry.flags ?? 0x800, 2);
  header.writeUInt16LE(method, 4);
  header.writeUInt32LE(entry.checksum ?? crc32(content), 10);
  header.writeUInt32LE(data.length, 14);
  header.writeUInt32LE(entry.declaredSize ?? content.length, 18);
  return { data, header };
}

function centralHeader(entry: ZipEntry, header: Buffer, offset: number): Buffer {
  const name = Buffer.from(entry.name);
  const extra = Buffer.from(entry.extra ?? []);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE((3 << 8) | 20, 4); // made by Unix
  header.copy(central, 6);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(extra.length, 30);
  central.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 38);
  central.writeUInt32LE(offset, 42);
  return Buffer.concat([central, name, extra]);
}

/** The extra field that gives sizes and offset in 64 bits (APPNOTE 4.5.3). */
export function zip64Extra(...values: bigint[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(values.length * 8, 2);
  values.forEach((value, index) => {
    extra.writeBigUInt64LE(value, 4 + index * 8);
  });
  return extra;
}
