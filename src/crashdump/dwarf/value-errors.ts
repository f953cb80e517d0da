/** Why there is no value, in GDB's words. */
import { Malformed } from '../bytes.js';

/** Something that GDB reports in the place of the value, in its words. */
export class ValueError extends Error {
  override readonly name: string = 'ValueError';
}

export class ValueOptimizedOut extends ValueError {
  constructor() {
    super('value has been optimized out');
  }
}

/** The value at the function's entry cannot be found out; the variable then counts as optimized out. */
export class NoEntryValue extends Error {
  override readonly name = 'NoEntryValue';
}

/** Both happen for most arguments of optimised code, so what is thrown is made once, without a stack each time. */
export const NO_ENTRY_VALUE = new NoEntryValue();
export const VALUE_OPTIMIZED_OUT = new ValueOptimizedOut();

export function unknownOperation(opcode: number): Malformed {
  return new Malformed(`DWARF operation 0x${opcode.toString(16)} is not supported`);
}
