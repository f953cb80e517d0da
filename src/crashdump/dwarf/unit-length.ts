import { type ByteReader, Malformed } from '../bytes.js';

/** How long a unit is, and whether its offsets have eight bytes instead of four. */
export interface UnitLength {
  length: number;
  isWide: boolean;
}

const WIDE = 0xffffffff;
const FIRST_RESERVED = 0xfffffff0;

/** Initial length of a contribution to a debug section (DWARF 5 §7.4). @throws Malformed */
export function readUnitLength(reader: ByteReader): UnitLength {
  const length = reader.u32();
  if (length === WIDE) return { length: readWideOffset(reader), isWide: true };
  if (length >= FIRST_RESERVED)
    throw new Malformed(`${reader.what}: length 0x${length.toString(16)} is reserved`);
  return { length, isWide: false };
}

/** An offset in a unit of 32-bit or 64-bit DWARF. @throws Malformed */
export function readOffset(reader: ByteReader, isWide: boolean): number {
  return isWide ? readWideOffset(reader) : reader.u32();
}

/** No file of this reader has offsets beyond exact numbers. */
function readWideOffset(reader: ByteReader): number {
  const offset = Number(reader.u64());
  if (!Number.isSafeInteger(offset)) throw new Malformed(`${reader.what}: an offset of 64 bits is too large`);
  return offset;
}
