import { expect, it } from 'vitest';
import { xtensa } from '../../src/crashdump/arch/xtensa/xtensa.js';

function firstFrame(general: number[]) {
  const start = { pc: 0x400d0010, general, special: new Map([['ps', 0x60020]]) };
  const sources = { read: () => null, images: [], isRom: () => false, exception: null };
  return xtensa.unwind(start, { ...sources, budget: { frames: 10, instructions: 100 } }).frames[0]?.registers;
}

it('a task that yielded saved a0 to a3: its other registers are unknown, not 0', () => {
  const saved = [0x800d1234, 0x3ffb1000, 2, 3];

  expect(firstFrame([...saved, ...new Array<number>(12).fill(0)])?.size).toBe(4);
  expect(firstFrame([...saved, 4, ...new Array<number>(11).fill(0)])?.get(15)).toBe(0);
});
