import type { ReadMemory } from '../../read-memory.js';
import type { Call } from '../calls.js';

/** All call instructions have three bytes, as have `J` and the branches. */
export const CALL_SIZE = 3;

/** Xtensa ISA §8: CALL0 to CALL12 (format CALL, op0 5), CALLX0 to CALLX12 (format CALLX). */
export function callBefore(address: number, code: ReadMemory): Call | null {
  const at = address - CALL_SIZE;
  const bytes = at < 0 ? null : code(at, CALL_SIZE);
  if (!bytes) return null;
  const [first = 0, second = 0, third = 0] = bytes;
  const size = ((first >>> 4) & 3) * 4;
  if ((first & 0x0f) === 0x05) {
    const word = first | (second << 8) | (third << 16);
    return { target: ((at & ~3) + signed18(word >>> 6) * 4 + 4) >>> 0, size };
  }
  const isCallx = (first & 0xcf) === 0xc0 && (second & 0xf0) === 0 && third === 0;
  return isCallx ? { target: null, size } : null;
}

/** The offset of the formats CALL and J. */
export function signed18(value: number): number {
  return (value << 14) >> 14;
}
