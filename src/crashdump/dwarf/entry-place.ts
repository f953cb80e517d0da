/** The place of a value at the entry of its function, by which the caller's description of an argument is found. */
import { ByteReader } from '../bytes.js';

export type EntryPlace =
  | { kind: 'register'; register: number }
  /** Bytes above the stack pointer at the call, which is the callee's canonical frame address. */
  | { kind: 'stack'; offset: number }
  /** The value has no place: the parameter's DIE, by its offset in .debug_info, identifies it. */
  | { kind: 'parameter'; offset: number };

/** The place in the callee's expression when it has one operation; null for any other expression. */
export function entryPlaceOf(expression: Uint8Array): EntryPlace | null {
  const reader = new ByteReader('DWARF expression', expression);
  if (reader.atEnd) return null;
  let place: EntryPlace | null = null;
  const opcode = reader.u8();
  if (opcode >= 0x50 && opcode <= 0x6f) place = { kind: 'register', register: opcode - 0x50 };
  else if (opcode === 0x90) place = { kind: 'register', register: reader.uleb128() };
  else if (opcode === 0x91) place = { kind: 'stack', offset: reader.sleb128() };
  else if (opcode === 0xa5 || opcode === 0xf5) {
    // DW_OP_regval_type: only the register is needed, not the type.
    place = { kind: 'register', register: reader.uleb128() };
    reader.skipLeb128();
  }
  return reader.atEnd ? place : null;
}

/** The same for the caller's expression: it cannot use the callee's frame base, but uses the stack pointer. */
export function passedPlaceOf(expression: Uint8Array, stackPointer: number): EntryPlace | null {
  const reader = new ByteReader('DWARF expression', expression);
  if (reader.atEnd) return null;
  const opcode = reader.u8();
  if (opcode < 0x70 || opcode > 0x8f) return entryPlaceOf(expression);
  const offset = reader.sleb128();
  return reader.atEnd && opcode - 0x70 === stackPointer ? { kind: 'stack', offset } : null;
}

export function isSamePlace(a: EntryPlace, b: EntryPlace): boolean {
  return keyOf(a) === keyOf(b);
}

export function keyOf(place: EntryPlace): string {
  return place.kind === 'register' ? `r${place.register}` : `${place.kind}${place.offset}`;
}
