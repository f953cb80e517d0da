/** Why a value is missing, in GDB's words. */
import { Malformed } from '../bytes.js';

/** An error that GDB prints in place of the value, in its words. */
export class ValueError extends Error {
  override readonly name: string = 'ValueError';
}

export class ValueOptimizedOut extends ValueError {
  constructor() {
    super('value has been optimized out');
  }
}

/** The value at the function's entry is unknown; the variable then counts as optimized out. */
export class NoEntryValue extends Error {
  override readonly name = 'NoEntryValue';
}

/** Both are thrown for most arguments of optimised code, so each is created once, without a stack trace. */
export const NO_ENTRY_VALUE = new NoEntryValue();
export const VALUE_OPTIMIZED_OUT = new ValueOptimizedOut();

export function unknownOperation(opcode: number): Malformed {
  return new Malformed(`DWARF operation 0x${opcode.toString(16)} is not supported`);
}
