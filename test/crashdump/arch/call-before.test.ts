import { describe, expect, it } from 'vitest';
import { riscv } from '../../../src/crashdump/arch/riscv/riscv.js';
import { xtensa } from '../../../src/crashdump/arch/xtensa/xtensa.js';
import type { ReadMemory } from '../../../src/crashdump/read-memory.js';
import { words } from '../builders.js';

const START = 0x42000000;

/** Encodings as the GNU assembler writes them. */
function code(bytes: Uint8Array): ReadMemory {
  return (address, length) =>
    address >= START && address + length <= START + bytes.length
      ? bytes.subarray(address - START, address - START + length)
      : null;
}

describe('the call before a return address', () => {
  it.each([
    ['jal', words(0x100000ef), 4, 0x42000100],
    ['c.jal', Uint8Array.of(0x01, 0x22), 2, 0x42000100],
    ['c.jalr', Uint8Array.of(0x02, 0x95), 2, null],
    ['auipc and jalr', words(0x00001097, 0x010080e7), 8, 0x42001010],
    ['jalr through a pointer', words(0x000500e7), 4, null],
  ])('leads where the instruction says: %s', (_, bytes, size, target) => {
    expect(riscv.callBefore(START + size, code(bytes))).toEqual({ target });
  });

  it('is the jal whose upper half looks like a c.jal', () => {
    // jal ra, .+0x10200
    expect(riscv.callBefore(START + 4, code(words(0x200100ef)))).toEqual({ target: START + 0x10200 });
  });

  it.each([
    ['a jump', words(0x1000006f)],
    ['an addition', words(0x00150513)],
    ['nothing', words()],
  ])('is none: %s', (_, bytes) => {
    expect(riscv.callBefore(START + 4, code(bytes))).toBeNull();
  });

  it.each([
    ['call8', [0x25, 0x00, 0x00], { target: START + 4, size: 8 }],
    ['callx8', [0xe0, 0x02, 0x00], { target: null, size: 8 }],
    ['entry', [0x36, 0x41, 0x00], null],
  ])('carries the rotation of the window on Xtensa: %s', (_, bytes, expected) => {
    expect(xtensa.callBefore(START + 3, code(Uint8Array.from(bytes)))).toEqual(expected);
  });
});
