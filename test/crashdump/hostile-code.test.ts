import { describe, expect, it } from 'vitest';
import { readCrashDump } from '../../src/crashdump/index.js';
import { cpuClock } from '../support/cpu-clock.js';
import { aFirmware, aTask, CHIP, elfDump, type TaskSpec } from './builders.js';

const CODE = 0x42000000;
const SIZE = 0x8000;

describe('code without call-frame information that nobody compiled', () => {
  it.each([1, 2, 3, 4, 5, 6])('gives a report, whatever bytes it has: seed %i', (seed) => {
    const random = generator(seed);
    const code = Buffer.alloc(SIZE);
    for (let at = 0; at < SIZE; at += 2) code.writeUInt16LE(random(0x10000), at);
    const symbols = Array.from({ length: 64 }, (_, index) => ({
      name: `f${index}`,
      address: CODE + index * 0x200,
      size: index % 3 === 0 ? 0 : 0x200,
    }));
    const elf = aFirmware({ symbols, code: [{ address: CODE, bytes: code }] });
    for (let round = 0; round < 20; round++) {
      const tasks = Array.from({ length: 8 }, (_, index) => randomTask(index, random));
      const core = elfDump({ machine: 'riscv', tasks }, 'ELF SHA256 v2.1', CHIP.esp32c3);

      for (const { frames, backtraceEnd } of readCrashDump({ core, elf }).report.tasks) {
        expect(frames.length).toBeGreaterThan(0);
        expect(frames.slice(1).filter(({ pc }) => Number(pc) === 0)).toEqual([]);
        if (frames.at(-1)?.trust === 'scan') expect(backtraceEnd).not.toBeUndefined();
      }
    }
  });

  it('is followed no longer than a report may take', () => {
    // Each second instruction branches over the next one, for 4,000 instructions, and nothing returns.
    const code = Buffer.alloc(SIZE);
    for (let at = 0; at < SIZE; at += 8) {
      code.writeUInt32LE(0x00000463, at); // beq x0, x0, +8
      code.writeUInt32LE(0x00112623, at + 4); // sw ra, 12(sp)
    }
    const elf = aFirmware({
      symbols: [{ name: 'endless', address: CODE, size: SIZE }],
      code: [{ address: CODE, bytes: code }],
    });
    const tasks = Array.from({ length: 256 }, (_, index) =>
      aTask({
        tcb: 0x3fc00000 + index * 0x1000,
        pc: CODE + index * 8,
        registers: { 1: CODE + 8, 2: 0x3fc91f80 },
      }),
    );
    const core = elfDump({ machine: 'riscv', tasks }, 'ELF SHA256 v2.1', CHIP.esp32c3);

    const spentMs = cpuClock();
    const { report } = readCrashDump({ core, elf });

    expect(report.tasks).toHaveLength(256);
    expect(report.tasks.filter(({ backtraceEnd }) => backtraceEnd === null)).toEqual([]);
    expect(spentMs()).toBeLessThan(15_000);
  });
});

function randomTask(index: number, random: (below: number) => number): TaskSpec {
  const inCode = () => CODE + random(SIZE / 2) * 2;
  const top = 0x3fc91f00 + index * 0x1000;
  const stack: Record<number, number> = {};
  for (let at = 160; at < 256; at += 4) stack[top + at] = random(2) === 0 ? inCode() : top + random(256);
  return aTask({
    tcb: 0x3fc00000 + index * 0x1000,
    stackStart: top - 0xf00,
    stackTop: top,
    stackEnd: top + 0x100,
    pc: random(4) === 0 ? random(0x100000000) : inCode(),
    registers: { 1: inCode(), 2: top + 160 + random(16) * 4, 5: inCode(), 8: top + random(256) },
    stack,
  });
}

/** A linear congruential generator (Numerical Recipes): the same inputs on every machine. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x100000000) * below);
  };
}
