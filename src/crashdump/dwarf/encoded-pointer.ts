/** Addresses in exception frames: a format, and what they count from (Linux Standard Base 5.0, "DWARF Exception Header Encoding"). */
import { type ByteReader, Malformed } from '../bytes.js';

const FORMAT = 0x0f;
const APPLICATION = 0x70;
const INDIRECT = 0x80;
const RELATIVE_TO_ITSELF = 0x10;
const ALIGNED = 0x50;
const OMITTED = 0xff;

/** @param here address of the reader's position in memory @throws Malformed */
export function readEncodedAddress(from: ByteReader, encoding: number, here: number): number {
  const value = readValue(from, encoding & FORMAT);
  // Relative to text, data or a function: no linker script of a chip says where these begin.
  switch (encoding & (APPLICATION | INDIRECT)) {
    case 0:
      return value >>> 0;
    case RELATIVE_TO_ITSELF:
      return (here + value) >>> 0;
    default:
      throw unsupported(encoding);
  }
}

/** The size of the described code: the same format, counted from nothing. @throws Malformed */
export function readEncodedSize(from: ByteReader, encoding: number): number {
  return readValue(from, encoding & FORMAT) >>> 0;
}

/** @throws Malformed */
export function skipEncoded(from: ByteReader, encoding: number): void {
  if (encoding === OMITTED) return;
  // Aligned to an address of the section; the augmentation begins anywhere.
  if ((encoding & APPLICATION) === ALIGNED) throw unsupported(encoding);
  readValue(from, encoding & FORMAT);
}

function readValue(from: ByteReader, format: number): number {
  switch (format) {
    case 0x00: // DW_EH_PE_absptr
    case 0x03: // DW_EH_PE_udata4
      return from.u32();
    case 0x01: // DW_EH_PE_uleb128
      return from.uleb128();
    case 0x02: // DW_EH_PE_udata2
      return from.u16();
    case 0x04: // DW_EH_PE_udata8
    case 0x0c: // DW_EH_PE_sdata8
      return Number(BigInt.asIntN(32, from.u64()));
    case 0x08: // DW_EH_PE_signed
    case 0x0b: // DW_EH_PE_sdata4
      return from.i32();
    case 0x09: // DW_EH_PE_sleb128
      return from.sleb128();
    case 0x0a: // DW_EH_PE_sdata2
      return from.i16();
    default:
      throw unsupported(format);
  }
}

function unsupported(encoding: number): Malformed {
  return new Malformed(`addresses in the encoding 0x${encoding.toString(16)} are not supported`);
}
