/** The encodings of attribute values (DWARF 5 §7.5.6), for 4-byte addresses. */
import { type ByteReader, Malformed } from '../bytes.js';
import { FORM } from './constants.js';
import { readOffset } from './unit-length.js';

/** A value as encoded, before any reference or index is resolved. */
export type FormValue =
  | { kind: 'address'; value: number }
  | { kind: 'addressIndex'; index: number }
  /** `wide` has the 64 bits of a value that a number cannot hold exactly. */
  | { kind: 'constant'; value: number; wide: bigint | null }
  | { kind: 'block'; bytes: Uint8Array }
  | { kind: 'flag'; value: boolean }
  | { kind: 'string'; offset: number }
  | { kind: 'stringOffset'; section: '.debug_str' | '.debug_line_str'; offset: number }
  | { kind: 'stringIndex'; index: number }
  /** Offset in `.debug_info`. */
  | { kind: 'reference'; offset: number }
  | { kind: 'signature'; value: bigint }
  | { kind: 'sectionOffset'; value: number }
  | { kind: 'listIndex'; index: number }
  /** A reference into a supplementary file, which firmware does not have. */
  | { kind: 'elsewhere' };

/** Forms whose size is that of an offset. */
const OFFSET_FORMS: ReadonlySet<number> = new Set([
  ...[FORM.strp, FORM.line_strp, FORM.strp_sup, FORM.sec_offset, FORM.ref_addr],
  ...[FORM.GNU_ref_alt, FORM.GNU_strp_alt],
]);
/** Marks forms of 64-bit DWARF: no form of a file is as large. */
const WIDE = 0x100000;

/** The form by which a unit of 64-bit DWARF is read: the same one unless its size depends on that. */
export function formOf(form: number, isWide: boolean): number {
  return isWide && (OFFSET_FORMS.has(form) || form === FORM.indirect) ? form + WIDE : form;
}

const SIZES: ReadonlyMap<number, number> = new Map([
  [FORM.addr, 4],
  [FORM.data1, 1],
  [FORM.data2, 2],
  [FORM.data4, 4],
  [FORM.data8, 8],
  [FORM.data16, 16],
  [FORM.flag, 1],
  [FORM.flag_present, 0],
  [FORM.implicit_const, 0],
  [FORM.strp, 4],
  [FORM.line_strp, 4],
  [FORM.strp_sup, 4],
  [FORM.sec_offset, 4],
  [FORM.ref1, 1],
  [FORM.ref2, 2],
  [FORM.ref4, 4],
  // DWARF 2 §7.5.4: an address; since DWARF 3 an offset. Both have four bytes here.
  [FORM.ref_addr, 4],
  [FORM.ref8, 8],
  [FORM.ref_sig8, 8],
  [FORM.ref_sup4, 4],
  [FORM.ref_sup8, 8],
  [FORM.strx1, 1],
  [FORM.strx2, 2],
  [FORM.strx3, 3],
  [FORM.strx4, 4],
  [FORM.addrx1, 1],
  [FORM.addrx2, 2],
  [FORM.addrx3, 3],
  [FORM.addrx4, 4],
  [FORM.GNU_ref_alt, 4],
  [FORM.GNU_strp_alt, 4],
  ...[...OFFSET_FORMS].map((form): [number, number] => [form + WIDE, 8]),
]);

/** Size in bytes of a value of this form; null when the value contains its size. */
export function fixedFormSize(form: number): number | null {
  return SIZES.get(form) ?? null;
}

/** @throws Malformed for unknown forms, because the position of the next value is then unknown too */
export function skipForm(reader: ByteReader, form: number): void {
  const size = fixedFormSize(form);
  if (size !== null) {
    reader.skip(size);
    return;
  }
  switch (form) {
    case FORM.string:
      reader.skipCString();
      return;
    case FORM.block1:
      reader.skip(reader.u8());
      return;
    case FORM.block2:
      reader.skip(reader.u16());
      return;
    case FORM.block4:
      reader.skip(reader.u32());
      return;
    case FORM.block:
    case FORM.exprloc:
      reader.skip(reader.uleb128());
      return;
    case FORM.sdata:
    case FORM.udata:
    case FORM.ref_udata:
    case FORM.strx:
    case FORM.addrx:
    case FORM.loclistx:
    case FORM.rnglistx:
    case FORM.GNU_addr_index:
    case FORM.GNU_str_index:
      reader.skipLeb128();
      return;
    case FORM.indirect:
      skipForm(reader, directForm(reader));
      return;
    case FORM.indirect + WIDE:
      skipForm(reader, formOf(directForm(reader), true));
      return;
    default:
      throw new Malformed(`attribute form 0x${form.toString(16)} is not known`);
  }
}

/**
 * @param unitStart offset of the unit's header in `.debug_info`, from which local references count
 * @throws Malformed
 */
export function readForm(
  reader: ByteReader,
  form: number,
  implicitValue: number,
  unitStart: number,
): FormValue {
  switch (form) {
    case FORM.addr:
      return { kind: 'address', value: reader.u32() };
    case FORM.data1:
      return constant(reader.u8());
    case FORM.data2:
      return constant(reader.u16());
    case FORM.data4:
      return constant(reader.u32());
    case FORM.data8:
      return wideConstant(reader.u64());
    case FORM.udata:
      return wideConstant(reader.wideUleb128());
    case FORM.sdata:
      return wideConstant(reader.wideSleb128());
    case FORM.implicit_const:
      return constant(implicitValue);
    case FORM.data16:
      return { kind: 'block', bytes: reader.take(16) };
    case FORM.block1:
      return { kind: 'block', bytes: reader.take(reader.u8()) };
    case FORM.block2:
      return { kind: 'block', bytes: reader.take(reader.u16()) };
    case FORM.block4:
      return { kind: 'block', bytes: reader.take(reader.u32()) };
    case FORM.block:
    case FORM.exprloc:
      return { kind: 'block', bytes: reader.take(reader.uleb128()) };
    case FORM.flag:
      return { kind: 'flag', value: reader.u8() !== 0 };
    case FORM.flag_present:
      return { kind: 'flag', value: true };
    case FORM.string: {
      const offset = reader.position;
      reader.skipCString();
      return { kind: 'string', offset };
    }
    case FORM.strp:
      return { kind: 'stringOffset', section: '.debug_str', offset: reader.u32() };
    case FORM.line_strp:
      return { kind: 'stringOffset', section: '.debug_line_str', offset: reader.u32() };
    case FORM.strx:
    case FORM.GNU_str_index:
      return { kind: 'stringIndex', index: reader.uleb128() };
    case FORM.strx1:
      return { kind: 'stringIndex', index: reader.u8() };
    case FORM.strx2:
      return { kind: 'stringIndex', index: reader.u16() };
    case FORM.strx3:
      return { kind: 'stringIndex', index: reader.u24() };
    case FORM.strx4:
      return { kind: 'stringIndex', index: reader.u32() };
    case FORM.addrx:
    case FORM.GNU_addr_index:
      return { kind: 'addressIndex', index: reader.uleb128() };
    case FORM.addrx1:
      return { kind: 'addressIndex', index: reader.u8() };
    case FORM.addrx2:
      return { kind: 'addressIndex', index: reader.u16() };
    case FORM.addrx3:
      return { kind: 'addressIndex', index: reader.u24() };
    case FORM.addrx4:
      return { kind: 'addressIndex', index: reader.u32() };
    case FORM.ref1:
      return { kind: 'reference', offset: unitStart + reader.u8() };
    case FORM.ref2:
      return { kind: 'reference', offset: unitStart + reader.u16() };
    case FORM.ref4:
      return { kind: 'reference', offset: unitStart + reader.u32() };
    case FORM.ref8:
      return { kind: 'reference', offset: unitStart + Number(reader.u64()) };
    case FORM.ref_udata:
      return { kind: 'reference', offset: unitStart + reader.uleb128() };
    case FORM.ref_addr:
      return { kind: 'reference', offset: reader.u32() };
    case FORM.ref_sig8:
      return { kind: 'signature', value: reader.u64() };
    case FORM.sec_offset:
      return { kind: 'sectionOffset', value: reader.u32() };
    case FORM.loclistx:
    case FORM.rnglistx:
      return { kind: 'listIndex', index: reader.uleb128() };
    case FORM.indirect:
      return readForm(reader, directForm(reader), 0, unitStart);
    case FORM.indirect + WIDE:
      return readForm(reader, formOf(directForm(reader), true), 0, unitStart);
    case FORM.strp + WIDE:
      return { kind: 'stringOffset', section: '.debug_str', offset: readOffset(reader, true) };
    case FORM.line_strp + WIDE:
      return { kind: 'stringOffset', section: '.debug_line_str', offset: readOffset(reader, true) };
    case FORM.ref_addr + WIDE:
      return { kind: 'reference', offset: readOffset(reader, true) };
    case FORM.sec_offset + WIDE:
      return { kind: 'sectionOffset', value: readOffset(reader, true) };
    case FORM.ref_sup4:
    case FORM.strp_sup:
    case FORM.GNU_ref_alt:
    case FORM.GNU_strp_alt:
      reader.skip(4);
      return { kind: 'elsewhere' };
    case FORM.ref_sup8:
    case FORM.strp_sup + WIDE:
    case FORM.GNU_ref_alt + WIDE:
    case FORM.GNU_strp_alt + WIDE:
      reader.skip(8);
      return { kind: 'elsewhere' };
    default:
      throw new Malformed(`attribute form 0x${form.toString(16)} is not known`);
  }
}

/** DW_FORM_indirect writes the form before the value. It must not name itself again, which could be endless. */
function directForm(reader: ByteReader): number {
  const form = reader.uleb128();
  if (form === FORM.indirect || form === FORM.implicit_const) {
    throw new Malformed(`indirect attribute form 0x${form.toString(16)} is not allowed`);
  }
  return form;
}

function constant(value: number): FormValue {
  return { kind: 'constant', value, wide: null };
}

function wideConstant(bits: bigint): FormValue {
  const value = Number(bits);
  return { kind: 'constant', value, wide: Number.isSafeInteger(value) ? null : bits };
}
