import { describe, expect, it } from 'vitest';
import { MAX_FRAMES, MAX_TASKS } from '../../src/crashdump/limits.js';
import {
  aTask,
  base64Log,
  bytes,
  CHIP,
  elfDump,
  padded,
  riscvRegisterNote,
  sealed,
  tcbBytes,
  words,
} from './builders.js';
import { attempt, core, dumps, main, registers } from './hostile-dumps.js';

describe('too much of everything', () => {
  it('ten thousand tasks are cut to a readable report', () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      riscvRegisterNote(aTask({ tcb: 0x3fc00000 + index * 4 })),
    );

    const report = attempt(core([{ type: 4, address: 0, bytes: bytes(...many) }]));

    expect(report?.tasks).toHaveLength(MAX_TASKS);
    expect(report?.warnings.map(({ message }) => message).join()).toContain('more than 256 tasks');
  });

  it('doubled control blocks count once', () => {
    const report = attempt(core([{ type: 4, address: 0, bytes: bytes(registers, registers) }]));

    expect(report?.tasks).toHaveLength(1);
    expect(report?.warnings.map(({ message }) => message).join()).toContain('another one named before');
  });

  it('doubled and overlapping segments have one answer', () => {
    const load = { type: 1, address: main.tcb, bytes: tcbBytes(main) };
    const other = { type: 1, address: main.tcb + 4, bytes: padded(words(7), 0x200) };

    const report = attempt(core([{ type: 4, address: 0, bytes: registers }, load, load, other]));

    expect(report?.crashedTask).toBe('main');
    // The same bytes twice are no conflict.
    expect(report?.warnings.map(({ message }) => message).join()).toContain(
      '1 memory segment overlaps others and differs',
    );
  });

  it('program headers that all name the same notes are read a bounded number of times', () => {
    const notes = bytes(...Array.from({ length: 200 }, () => registers));
    const dump = Buffer.from(
      core(Array.from({ length: 2000 }, () => ({ type: 4, address: 0, bytes: new Uint8Array(0) }))),
    );
    const shared = bytes(dump, notes);
    const view = Buffer.from(shared);
    for (let index = 0; index < 2000; index++) {
      view.writeUInt32LE(dump.length, 52 + index * 32 + 4);
      view.writeUInt32LE(notes.length, 52 + index * 32 + 16);
    }

    expect(
      attempt(view)
        ?.warnings.map(({ message }) => message)
        .join(),
    ).toContain('too many');
  });

  it('stacks full of return addresses give a bounded number of frames', () => {
    const deep = (tcb: number, at: number) => {
      const stack: Record<number, number> = {};
      for (let address = at + 0x100; address < at + 0x10000; address += 4) stack[address] = 0x42000110;
      return aTask({
        tcb,
        stackTop: at,
        stackEnd: at + 0x10000,
        registers: { 1: 0x42000110, 2: at + 0x100 },
        stack,
      });
    };
    const many = Array.from({ length: 32 }, (_, index) =>
      deep(0x3fc00000 + index * 0x200, 0x3d000000 + index * 0x20000),
    );

    const report = attempt(elfDump({ machine: 'riscv', tasks: many }, 'ELF SHA256 v2.1', CHIP.esp32c3));

    const frames = report?.tasks.reduce((sum, task) => sum + task.frames.length, 0) ?? 0;
    expect(frames).toBeGreaterThan(1000);
    expect(frames).toBeLessThanOrEqual(MAX_FRAMES + many.length);
    expect(report?.tasks[0]?.backtraceEnd).toBe('only 512 frames are shown');
  });

  it('a stack scan among words that all look right is bounded', () => {
    const stack: Record<number, number> = {};
    for (let address = 0x3d000100; address < 0x3d010000; address += 4) stack[address] = 0x42000110;
    const task = aTask({
      stackTop: 0x3d000000,
      stackEnd: 0x3d010000,
      registers: { 1: 0x40000100, 2: 0x3d000100 },
      pc: 0x40000200,
      stack,
    });

    const report = attempt(elfDump({ machine: 'riscv', tasks: [task] }, 'ELF SHA256 v2.1', CHIP.esp32c3));

    expect(report?.tasks[0]?.frames).toHaveLength(2);
  });

  it('text of nothing but short lines is decoded in one pass', () => {
    expect(attempt(bytes('=== CORE DUMP START ===\n', 'AAAA\n'.repeat(200_000)))).toBeNull();
    expect(attempt(base64Log(dumps['ELF of RISC-V']))?.crashedTask).toBe('main');
  });

  it('an unknown payload behind a right checksum is refused', () => {
    expect(attempt(sealed(0x00050103, words(0, 0, 0, 0), new Uint8Array(400), 'sha256'))).toBeNull();
  });
});
