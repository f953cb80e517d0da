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

const SP = 0x3fc91f80;

describe('calls on Xtensa to where nothing can be executed', () => {
  /** callx8 a8 before 0x42000110, a nop before 0x42000120. */
  const code = Buffer.alloc(0x200);
  code.set([0xe0, 0x08, 0x00], 0x10d);
  code.set([0xf0, 0x20, 0x00], 0x11d);
  const firmware: FirmwareImage = {
    ...aFirmware({
      machine: 'xtensa',
      symbols: [{ name: 'caller', address: 0x42000100, size: 0x100 }],
      code: [{ address: 0x42000000, bytes: code }],
    }),
    sections: [
      {
        name: '.flash.text',
        address: 0x42000000,
        size: code.length,
        kind: 'progbits',
        flags: { alloc: true, write: false, exec: true, processorSpecific: false },
      },
    ],
  };
  const CALL8 = 0x60020 | (2 << 16);

  function crashed(
    pc: number,
    exception: CoreSpec['exception'],
    registers: Record<number, number>,
  ): CrashTask {
    const task = aTask({ pc, ps: CALL8, registers: { 1: SP, ...registers } });
    const core = elfDump(
      { machine: 'xtensa', tasks: [task], appElfSha256: 'ab'.repeat(32), ...(exception && { exception }) },
      'ELF SHA256 v2.1',
      CHIP.esp32s3,
    );
    const [first] = readCrashDump({ core, elf: firmware }).report.tasks;
    if (!first) throw new Error('the report has no task');
    return first;
  }
  const names = ({ frames }: CrashTask) => frames.map((frame) => frame.function);

  it.each([20, 2])('show their caller when the exception names the address as its cause %i', (exccause) => {
    const task = crashed(0x42000180, { exccause, excvaddr: 0x42000180 }, { 8: 0x82000110 });

    expect(names(task)).toEqual(['caller', 'caller']);
    expect(task.frames[1]?.pc).toBe('0x42000110');
  });

  it('show their caller when the address is in no part of the firmware', () => {
    expect(names(crashed(0x4badc0de, { exccause: 0 }, { 8: 0x82000110 }))).toEqual([null, 'caller']);
  });

  it('show no caller whose code has no call there', () => {
    const task = crashed(0x4badc0de, { exccause: 20, excvaddr: 0x4badc0de }, { 8: 0x82000120 });

    expect(names(task)).toEqual([null]);
    expect(task.backtraceEnd).toBe('no call led to 0x4badc0de, where no code is (corrupt stack?)');
  });

  it('end a backtrace where a saved return address is in no part of the firmware', () => {
    const task = crashed(0x42000180, { exccause: 28, excvaddr: 0 }, { 0: 0x8badc0de });

    expect(names(task)).toEqual(['caller']);
    expect(task.backtraceEnd).toBe('the return address 0x4badc0de is not in code (corrupt stack?)');
  });

  it('are none for an address in the firmware that was read for another reason', () => {
    const task = crashed(0x42000180, { exccause: 28, excvaddr: 0 }, { 8: 0x82000110 });

    expect(names(task)).toEqual(['caller']);
    expect(task.backtraceEnd).toBeNull();
  });
});

describe('calls on RISC-V to where nothing can be executed', () => {
  const code = [{ address: 0x42000000, bytes: words(0x0002_80e7, 0x13, 0x13, 0x13) }]; // jalr t0
  const firmware = aFirmware({ symbols: [{ name: 'caller', address: 0x42000000, size: 0x100 }], code });
  const crashed = (ra: number) =>
    readCrashDump({
      core: elfDump(
        { machine: 'riscv', tasks: [aTask({ pc: 0x4badc0de, registers: { 1: ra, 2: SP } })] },
        'ELF SHA256 v2.1',
        CHIP.esp32c3,
      ),
      elf: firmware,
    }).report.tasks[0]?.frames.map((frame) => frame.function);

  it('show the caller that the return address names, if a call is there', () => {
    expect(crashed(0x42000004)).toEqual([null, 'caller']);
    expect(crashed(0x42000008)).toEqual([null]);
  });
});

describe('memory that looks like a placeholder', () => {
  const symbols = [
    { name: 'inner', address: 0x42000000, size: 0x100 },
    { name: 'vPortTaskWrapper', address: 0x42000100, size: 0x100 },
  ];
  const cfi = { inner: cfiRow(16, 'same'), vPortTaskWrapper: cfiRow(16, 'undefined') };
  const code = [{ address: 0x42000000, bytes: words(...new Array<number>(128).fill(0x000080e7)) }];
  const firmware = aFirmware({ symbols, cfi, code });

  it('is read: the low-power memory of the esp32s31', () => {
    const task = aTask({
      stackStart: 0x2e000000,
      stackTop: 0x2e000f00,
      stackEnd: 0x2e001000,
      pc: 0x42000010,
      registers: { 1: 0x42000110, 2: 0x2e000fa0 },
    });
    const { report } = readCrashDump({
      core: elfDump({ machine: 'riscv', tasks: [task] }, 'ELF SHA256 v2.1', 32),
      elf: firmware,
    });

    expect(report.tasks[0]).toMatchObject({ stackCorrupted: false, backtraceEnd: null });
    expect(report.tasks[0]?.frames.map((frame) => frame.function)).toEqual(['inner', 'vPortTaskWrapper']);
  });

  it.each([0x20000000, 0x20009400, 0x70000000, 0x70009400])(
    'is the placeholder of a broken stack at 0x%x',
    (start) => {
      const broken = aTask({ tcb: 0x3fc9a000, stackTop: start, stackEnd: start + 0x94, pc: start });
      const { report } = readCrashDump({
        core: elfDump({ machine: 'riscv', tasks: [aTask(), broken] }, 'ELF SHA256 v2.1', CHIP.esp32c3),
        elf: firmware,
      });

      expect(report.tasks[1]).toMatchObject({ stackCorrupted: true, frames: [] });
    },
  );
});

describe('a task of IDF 4.3, whose interrupts do not save the stack pointer', () => {
  const symbols = [
    { name: 'inner', address: 0x42000000, size: 0x100 },
    { name: 'vPortTaskWrapper', address: 0x42000100, size: 0x100 },
  ];
  const cfi = { inner: cfiRow(16, 'saved'), vPortTaskWrapper: cfiRow(16, 'undefined') };
  const code = [{ address: 0x42000000, bytes: words(...new Array<number>(128).fill(0x000080e7)) }];
  const firmware = aFirmware({ symbols, cfi, code });
  const TOP = 0x3fc9bf00;

  it.each([0, 0xa5a5a5a5, 0x3fc80000, TOP + 132])(
    'has it directly above its frame, whatever word is there: 0x%x',
    (sp) => {
      const other = aTask({
        tcb: 0x3fc9a000,
        stackStart: 0x3fc9b000,
        stackTop: TOP,
        stackEnd: 0x3fc9c000,
        pc: 0x42000010,
        registers: { 1: 0x42000050, 2: sp },
        stack: { [TOP + 128 + 12]: 0x42000110 },
      });
      const { report } = readCrashDump({
        core: elfDump({ machine: 'riscv', tasks: [aTask(), other] }, 'ELF SHA256 v2', CHIP.esp32c3),
        elf: firmware,
      });

      expect(report.tasks[1]).toMatchObject({ stackOverflow: null, backtraceEnd: null });
      expect(report.tasks[1]?.frames.map((frame) => frame.function)).toEqual(['inner', 'vPortTaskWrapper']);
    },
  );

  it('keeps it in a task that an interrupt stopped, and whose handler crashed', () => {
    const interrupted = aTask({ pc: 0x42000010, registers: { 2: 0 } });
    const frame = bytes(riscvFrame(interrupted), new Uint8Array(0x100 - 37 * 4));
    new DataView(frame.buffer, frame.byteOffset).setUint32(128 + 12, 0x42000110, true);
    const { report } = readCrashDump({
      core: elfDump(
        {
          machine: 'riscv',
          tasks: [
            aTask({
              stackTop: 0x3fca0000,
              stackEnd: 0x3fca0100,
              savedTop: 0x3fc91f00,
              pc: 0x42000010,
              registers: { 2: 0x3fca00a0 },
            }),
          ],
          inInterrupt: true,
          interruptedStack: { address: 0x3fc91f00, bytes: frame },
        },
        'ELF SHA256 v2',
        CHIP.esp32c3,
      ),
      elf: firmware,
    });

    expect(report.tasks[0]?.interruptedFrames.map((of) => of.function)).toEqual([
      'inner',
      'vPortTaskWrapper',
    ]);
  });
});
