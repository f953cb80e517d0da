import type { ReadMemory } from '../../read-memory.js';
import { followCallers } from '../../unwind/follow-callers.js';
import type { Jumps, Link } from '../calls.js';
import type { RegisterSet } from '../registers.js';
import { CALL_SIZE, signed18 } from './call-before.js';
import { windowSize } from './registers.js';
import { createXtensaUnwinder } from './unwinder.js';

const MAX_LINKS = 64;

/** `J` and conditional branches stay within their function or lead to its cold part; only `J` reaches far. */
export function jumpsOf(start: number, size: number, code: ReadMemory): Jumps {
  const targets: number[] = [];
  for (let at = start; at < start + size; ) {
    const bytes = code(at, CALL_SIZE) ?? code(at, 2);
    if (!bytes) return { targets, isKnown: false };
    const [first = 0, second = 0, third = 0] = bytes;
    if ((first & 0x3f) === 0x06) {
      targets.push((at + 4 + signed18((first | (second << 8) | (third << 16)) >>> 6)) >>> 0);
    }
    // The narrow formats of the code density option have op0 8 to 13.
    const op0 = first & 0x0f;
    at += op0 >= 8 && op0 <= 13 ? 2 : 3;
  }
  return { targets, isKnown: true };
}

/** By the register windows on the stack, which need no build. */
export function callChain(start: RegisterSet, read: ReadMemory): Link[] {
  const unwinder = createXtensaUnwinder(start, { read, images: [], isRom: () => false, exception: null });
  const { frames } = followCallers(unwinder, { frames: MAX_LINKS });
  return frames.slice(1).map((caller, index) => {
    const callee = frames[index] ?? caller;
    const size = windowSize(callee.registers.get(0) ?? 0);
    return {
      pc: index === 0 ? callee.pc : callee.pc - 1,
      returnAddress: caller.pc,
      // Of tasks that yielded, the device has removed it.
      size: size === 0 ? null : size,
    };
  });
}
