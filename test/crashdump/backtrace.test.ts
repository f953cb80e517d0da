import { describe, expect, it } from 'vitest';
import type { FirmwareImage } from '../../src/crashdump/firmware/firmware-image.js';
import { type CrashTask, readCrashDump } from '../../src/crashdump/index.js';
import {
  aFirmware,
  aTask,
  bytes,
  CHIP,
  type CoreSpec,
  cfiRow,
  elfDump,
  riscvFrame,
  words,
} from './builders.js';

function crashedTask(core: CoreSpec, elf: FirmwareImage | null): CrashTask {
  const chip = core.machine === 'xtensa' ? CHIP.esp32 : CHIP.esp32c3;
  const { report } = readCrashDump({ core: elfDump(core, 'ELF SHA256 v2.1', chip), elf });
  const [task] = report.tasks;
  if (!task) throw new Error('the report has no task');
  return task;
}

function names(task: CrashTask): (string | null)[] {
  return task.frames.map((frame) => frame.function);
}

describe('Xtensa backtraces', () => {
  const SP = 0x3fc91f80;
  const firmware = aFirmware({
    machine: 'xtensa',
    symbols: [
      { name: 'inner', address: 0x42000000, size: 0x100 },
      { name: 'middle', address: 0x42000100, size: 0x100 },
      { name: 'outer', address: 0x42000200, size: 0x100 },
    ],
    code: [{ address: 0x42000000, bytes: bytes(Buffer.from([0x36, 0x41, 0x00])) }],
  });
  /** Base save areas: below each stack pointer, a0 and a1 of the caller. */
  const windows = {
    [SP - 16]: 0x82000210,
    [SP - 12]: SP + 0x20,
    [SP + 0x10]: 0,
    [SP + 0x14]: SP + 0x40,
  };

  it('follow the windows that the panic handler spilled', () => {
    const task = aTask({ pc: 0x42000010, registers: { 0: 0x82000110, 1: SP }, stack: windows });

    const { frames, backtraceEnd } = crashedTask({ machine: 'xtensa', tasks: [task] }, firmware);

    expect(frames.map(({ pc, function: name, trust }) => [pc, name, trust])).toEqual([
      ['0x42000010', 'inner', 'context'],
      ['0x42000110', 'middle', 'window'],
      ['0x42000210', 'outer', 'window'],
    ]);
    expect(backtraceEnd).toBeNull();
  });

  it('look a caller up inside its call, not behind it', () => {
    const task = aTask({ pc: 0x42000010, registers: { 0: 0x82000200, 1: SP }, stack: windows });

    expect(names(crashedTask({ machine: 'xtensa', tasks: [task] }, firmware))).toEqual([
      'inner',
      'middle',
      'outer',
    ]);
  });

  it('take the return address from the coming window when `entry` was not executed yet', () => {
    // CALLINC 2: the callee's a0 is still a8.
    const task = aTask({
      pc: 0x42000000,
      ps: 0x60020 | (2 << 16),
      registers: { 0: 0x82000210, 1: SP, 8: 0x82000110 },
      stack: windows,
    });

    expect(names(crashedTask({ machine: 'xtensa', tasks: [task] }, firmware))).toEqual([
      'inner',
      'middle',
      'outer',
      'outer',
    ]);
  });

  it('find who jumped to where no code is', () => {
    const task = aTask({ pc: 0, ps: 0x60020 | (2 << 16), registers: { 0: 0, 1: SP, 8: 0x82000110 } });

    const { report } = readCrashDump({
      core: elfDump(
        { machine: 'xtensa', tasks: [task], exception: { exccause: 20 } },
        'ELF SHA256 v2.1',
        CHIP.esp32,
      ),
      elf: firmware,
    });

    expect(report.tasks[0]?.frames.map((frame) => frame.function)).toEqual([null, 'middle']);
    expect(report.explanation).toBe(
      'A jump to NULL pointer, where no code is, made in `middle` at middle.c:1',
    );
  });

  it.each([
    ['point to itself', { [SP - 16]: 0x82000110, [SP - 12]: SP }],
    [
      'lead back down',
      { [SP - 16]: 0x82000110, [SP - 12]: SP + 0x20, [SP + 0x10]: 0x82000110, [SP + 0x14]: SP },
    ],
  ])('end where stack pointers %s', (_, stack) => {
    const task = aTask({ registers: { 0: 0x82000110, 1: SP }, stack });

    const { frames, backtraceEnd } = crashedTask({ machine: 'xtensa', tasks: [task] }, firmware);

    expect(frames.length).toBeLessThanOrEqual(2);
    expect(backtraceEnd).toContain('corrupt stack?');
  });

  it('say which memory is missing when a stack leaves the dump, and take an unaligned stack pointer', () => {
    const outside = aTask({ registers: { 0: 0x82000110, 1: 0x3fca0003 } });

    expect(crashedTask({ machine: 'xtensa', tasks: [outside] }, firmware).backtraceEnd).toBe(
      'Cannot access memory at address 0x3fc9fff3',
    );
  });
});

describe('RISC-V backtraces', () => {
  const SP = 0x3fc91f80;
  const symbols = [
    { name: 'inner', address: 0x42000000, size: 0x100 },
    { name: 'middle', address: 0x42000100, size: 0x100 },
    { name: 'outer', address: 0x42000200, size: 0x100 },
    { name: 'vPortTaskWrapper', address: 0x42000300, size: 0x100 },
  ];
  const cfi = {
    inner: cfiRow(16, 'same'),
    middle: cfiRow(32, 'saved'),
    outer: cfiRow(16, 'saved'),
    vPortTaskWrapper: cfiRow(16, 'undefined'),
  };
  const code = [{ address: 0x42000000, bytes: words(...new Array<number>(256).fill(0x000080e7)) }]; // jalr ra
  const firmware = aFirmware({ symbols, cfi, code });

  it('follow the call-frame information to the function that undefines its return address', () => {
    const stack = { [SP + 16 + 28]: 0x42000210, [SP + 48 + 12]: 0x42000310 };
    const task = aTask({ pc: 0x42000010, registers: { 1: 0x42000110, 2: SP }, stack });

    const { frames, backtraceEnd } = crashedTask({ machine: 'riscv', tasks: [task] }, firmware);

    expect(frames.map(({ function: name, trust }) => [name, trust])).toEqual([
      ['inner', 'context'],
      ['middle', 'cfi'],
      ['outer', 'cfi'],
      ['vPortTaskWrapper', 'cfi'],
    ]);
    expect(backtraceEnd).toBeNull();
  });

  it('have the functions that ended by jumping to another, and left no frame', () => {
    const stack = { [SP + 16 + 28]: 0x42000310 };
    const task = aTask({ pc: 0x42000010, registers: { 1: 0x42000110, 2: SP }, stack });
    const jumping = aFirmware({ symbols, cfi, code, tailCalls: { 'inner middle': [0x42000280] } });

    const { frames } = crashedTask({ machine: 'riscv', tasks: [task] }, jumping);

    expect(frames.map(({ index, pc, function: name }) => [index, pc, name])).toEqual([
      [0, '0x42000010', 'inner'],
      [1, '0x42000280', 'outer'],
      [2, '0x42000110', 'middle'],
      [3, '0x42000310', 'vPortTaskWrapper'],
    ]);
  });

  it('end like GDB at a function that never saved where it returns to', () => {
    const unsaved = aFirmware({ symbols, cfi: { ...cfi, middle: cfiRow(32, 'same') }, code });
    const task = aTask({ pc: 0x42000010, registers: { 1: 0x42000110, 2: SP } });

    const { frames, backtraceEnd } = crashedTask({ machine: 'riscv', tasks: [task] }, unsaved);

    expect(frames.map((frame) => frame.function)).toEqual(['inner', 'middle']);
    expect(backtraceEnd).toBe('frame did not save the PC');
  });

  it('go on from a jump to where no code is, by the return address in ra', () => {
    const stack = { [SP + 28]: 0x42000310 };
    const task = aTask({ pc: 0, registers: { 1: 0x42000110, 2: SP }, stack });

    expect(names(crashedTask({ machine: 'riscv', tasks: [task] }, firmware))).toEqual([
      null,
      'middle',
      'vPortTaskWrapper',
    ]);
  });

  it('recover the callers of ROM code from the stack, and mark them', () => {
    // inner was called by ROM code, which keeps 0x42000210 (in outer) at the top of a frame of 32 bytes.
    const stack = { [SP + 16 + 28]: 0x42000210, [SP + 48 + 12]: 0x42000310 };
    const task = aTask({ pc: 0x42000010, registers: { 1: 0x40001234, 2: SP }, stack });

    const { frames } = crashedTask({ machine: 'riscv', tasks: [task] }, firmware);

    expect(frames.map(({ function: name, inRom, trust }) => [name, inRom, trust])).toEqual([
      ['inner', false, 'context'],
      [null, true, 'cfi'],
      ['outer', false, 'scan'],
      ['vPortTaskWrapper', false, 'scan'],
    ]);
  });

  it('believe no word on the stack from which no task begins', () => {
    const stack = { [SP + 16 + 28]: 0x42000210, [SP + 48 + 12]: 0x4fffffff };
    const task = aTask({ pc: 0x42000010, registers: { 1: 0x40001234, 2: SP }, stack });

    expect(names(crashedTask({ machine: 'riscv', tasks: [task] }, firmware))).toEqual(['inner', null]);
  });

  it('end where call-frame information leads in circles or does not move', () => {
    const circle = aFirmware({
      symbols,
      cfi: { ...cfi, middle: cfiRow(0, 'saved'), inner: cfiRow(0, 'same') },
      code,
    });
    const task = aTask({
      pc: 0x42000010,
      registers: { 1: 0x42000110, 2: SP },
      stack: { [SP - 4]: 0x42000110 },
    });

    const { frames, backtraceEnd } = crashedTask({ machine: 'riscv', tasks: [task] }, circle);

    expect(frames).toHaveLength(2);
    expect(backtraceEnd).toContain('corrupt stack?');
  });

  it('name ROM frames when there is a ROM ELF', () => {
    const rom = aFirmware({ symbols: [{ name: 'ets_printf', address: 0x40001200, size: 0x100 }] });
    const task = aTask({ pc: 0x42000010, registers: { 1: 0x40001234, 2: SP } });
    const core = elfDump({ machine: 'riscv', tasks: [task] }, 'ELF SHA256 v2.1', CHIP.esp32c3, 3);

    const { report } = readCrashDump({
      core,
      elf: firmware,
      findRom: (chip, revision) => (chip === 'esp32c3' && revision === 3 ? rom : null),
    });

    expect(report.tasks[0]?.frames.map((frame) => frame.function)).toEqual(['inner', 'ets_printf']);
  });

  it('show what an interrupt stopped when its handler crashed', () => {
    const onIsrStack = { stackTop: 0x3fca0000, stackEnd: 0x3fca0100, registers: { 2: 0x3fca00a0 } };
    const task = aTask({ ...onIsrStack, pc: 0x42000010, savedTop: 0x3fc91f00 });
    const interrupted = aTask({ pc: 0x42000210, registers: { 2: SP } });
    const core: CoreSpec = {
      machine: 'riscv',
      tasks: [task, aTask({ tcb: 0x3fc9a000, stackTop: 0x3fc9b000, stackEnd: 0x3fc9b100 })],
      inInterrupt: true,
      interruptedStack: {
        address: 0x3fc91f00,
        bytes: bytes(riscvFrame(interrupted), new Uint8Array(0x100 - 37 * 4)),
      },
    };

    const { frames, interruptedFrames } = crashedTask(core, firmware);

    expect(frames[0]?.function).toBe('inner');
    expect(interruptedFrames[0]?.function).toBe('outer');
  });
});

describe('stacks that the device found broken', () => {
  it('are reported as such, without a backtrace, while the rest is read', () => {
    const broken = aTask({
      tcb: 0x3fc9a000,
      name: 'broken',
      stackTop: 0x20000000,
      stackEnd: 0x20000094,
      pc: 0x20000000,
    });

    const { report } = readCrashDump({
      core: elfDump({ machine: 'riscv', tasks: [aTask(), broken] }, 'ELF SHA256 v2.1', CHIP.esp32c3),
      elf: aFirmware(),
    });

    expect(
      report.tasks.map(({ name, stackCorrupted, frames }) => [name, stackCorrupted, frames.length]),
    ).toEqual([
      ['main', false, 1],
      ['broken', true, 0],
    ]);
    expect(report.tasks[1]).toMatchObject({ stackUsed: null, stackFree: null });
  });
});
