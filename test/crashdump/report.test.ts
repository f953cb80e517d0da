import { describe, expect, it } from 'vitest';
import type { FirmwareImage } from '../../src/crashdump/firmware/firmware-image.js';
import { type CrashReport, kindOfReason, readCrashDump } from '../../src/crashdump/index.js';
import { aFirmware, aTask, binDump, bytes, CHIP, type CoreSpec, elfDump, padded } from './builders.js';

function report(core: Partial<CoreSpec>, elf: FirmwareImage | null = firmware): CrashReport {
  const whole: CoreSpec = { machine: 'riscv', tasks: [aTask({ registers: { 2: 0x3fc91fa0 } })], ...core };
  const chip = whole.machine === 'riscv' ? CHIP.esp32c3 : CHIP.esp32;
  return readCrashDump({ core: elfDump(whole, 'ELF SHA256 v2.1', chip), elf }).report;
}

const symbols = [
  { name: 'sensor_read', address: 0x42000000, size: 0x100 },
  { name: 'panic_abort', address: 0x42000200, size: 0x100 },
  { name: 'pxReadyTasksLists', address: 0x3fc80000, size: 500 },
  { name: 'xDelayedTaskList1', address: 0x3fc81000, size: 20 },
  { name: 'xSuspendedTaskList', address: 0x3fc82000, size: 20 },
];
const firmware = aFirmware({ symbols });
const xtensaFirmware = aFirmware({ machine: 'xtensa', symbols });

describe('the reason', () => {
  it('is the text that the firmware left, before any exception', () => {
    const { reason } = report({ panicDetails: 'assert failed: foo foo.c:12 (x)', exception: { mcause: 7 } });

    expect(reason).toBe('assert failed: foo foo.c:12 (x)');
  });

  it('names the exception and the address on RISC-V', () => {
    const { reason, explanation } = report({ exception: { mcause: 5, mtval: 0x10 } });

    expect(reason).toBe('Load access fault at 0x00000010');
    expect(explanation).toBe('NULL pointer plus offset 0x10 read in `sensor_read` at sensor_read.c:1');
  });

  it('names the exception and the address on Xtensa', () => {
    const { reason, explanation } = report(
      { machine: 'xtensa', tasks: [aTask()], exception: { exccause: 29, excvaddr: 0 } },
      xtensaFirmware,
    );

    expect(reason).toBe('StoreProhibited at 0x00000000');
    expect(explanation).toBe('NULL pointer written in `sensor_read` at sensor_read.c:1');
  });

  it.each([
    [6, 'IntegerDivideByZero at PC 0x42000010', 'divided by zero'],
    [66, 'DoubleException at PC 0x42000010', 'inside the exception handler'],
    [69, 'InterruptWDTTimoutCPU0 at PC 0x42000010', 'Interrupts stayed disabled'],
    [71, 'CacheError at PC 0x42000010', 'cache was off'],
  ])('explains cause %i of Xtensa', (exccause, text, explanation) => {
    const found = report({ machine: 'xtensa', tasks: [aTask()], exception: { exccause } }, xtensaFirmware);

    expect(found.reason).toBe(text);
    expect(found.explanation).toContain(explanation);
  });

  it.each([
    ['abort() was called at PC 0x42009351 on core 0', 'ABORT'],
    ['assert failed: foo foo.c:12 (x)', 'ASSERT'],
    ['***ERROR*** A stack overflow in task main has been detected.', 'STACK_OVERFLOW'],
    ['Stack smashing protect failure!', 'STACK_SMASHED'],
    ['Task watchdog got triggered.', 'TASK_WATCHDOG'],
    ['Interrupt wdt timeout on CPU0', 'INTERRUPT_WATCHDOG'],
    ['Something else', 'OTHER'],
  ])('"%s" makes a crash of the kind %s', (panicDetails, kind) => {
    expect(report({ panicDetails })).toMatchObject({ reason: panicDetails, kind });
  });

  it('has the kind that its one line tells whoever has nothing else', () => {
    const riscv = [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 15, 24, 25, 26, 27];
    const reports = [
      ...riscv.map((mcause) => report({ exception: { mcause, mtval: 0x10 } })),
      ...[0, 2, 3, 6, 9, 20, 28, 29, 32, 65, 66, 69, 70, 71].map((exccause) =>
        report(
          { machine: 'xtensa', tasks: [aTask()], exception: { exccause, excvaddr: 0x10 } },
          xtensaFirmware,
        ),
      ),
    ];

    expect(reports.map(({ reason }) => kindOfReason(reason))).toEqual(reports.map(({ kind }) => kind));
    expect(new Set(reports.map(({ kind }) => kind)).size).toBeGreaterThan(10);
  });

  it('says where the first of two exceptions came from', () => {
    const symbolsWithFirst = [...symbols, { name: 'draw', address: 0x40081200, size: 0x100 }];
    const elf = aFirmware({ machine: 'xtensa', symbols: symbolsWithFirst });

    const found = report({ machine: 'xtensa', tasks: [aTask()], exception: { exccause: 66 } }, elf);

    expect(found.explanation).toMatch(/stack pointer is broken in `draw` at draw.c:1$/);
  });

  it('recognises a freed heap block by the address that was touched', () => {
    const { explanation } = report({ exception: { mcause: 5, mtval: 0xfefeff02 } });

    expect(explanation).toContain(
      '0xfefeff02 (the pattern of heap memory that was freed plus offset 0x4) read',
    );
  });

  it('is found on the stack when the dump is too old to carry the text', () => {
    const message = 'abort() was called at PC 0x42009351 on core 0';
    const text = padded(bytes(message), 64);
    const task = aTask({ pc: 0x42000210, registers: { 2: 0x3fc91fa0 } });
    const abort = { ...task, registers: { ...task.registers, 10: 0x3fc70000 } };

    const found = report({
      tasks: [abort],
      segments: [{ address: 0x3fc70000, bytes: text }],
      exception: { mcause: 7 },
    });

    expect(found.reason).toBe(message);
  });

  it('shows control characters of the device instead of obeying them', () => {
    const found = report({
      panicDetails: '\u001b[31m<b>boom</b>\u0007\xff',
      tasks: [aTask({ name: 'a\u001b[2Jb' })],
    });

    expect(found.reason).toContain('\\x1b[31m<b>boom</b>\\x07');
    expect(found.crashedTask).toBe('a\\x1b[2Jb');
  });
});

describe('the firmware', () => {
  it('matches by as many digits as the dump carries', () => {
    expect(report({ appElfSha256: 'abababab9' }).elfMatches).toBe(false);
    expect(report({ appElfSha256: 'ababababa' }).elfMatches).toBe(true);
    expect(report({ appElfSha256: 'ab'.repeat(32) }).elfMatches).toBe(true);
  });

  it('of another build is not used, with a warning that names both hashes', () => {
    const found = report({ appElfSha256: 'cdcdcdcdc' });

    expect(found.warnings.map(({ message }) => message).join()).toMatch(/cdcdcdcdc.*abababab/);
    expect(found).toMatchObject({
      elfMatch: 'differs',
      elfMatches: false,
      usesElf: false,
      crashedTask: 'main',
    });
    expect(found.tasks[0]?.frames[0]?.function).toBeNull();
    // Grouped by the addresses, as without an ELF.
    expect(found.fingerprint).toBe(report({ appElfSha256: 'cdcdcdcdc' }, null).fingerprint);
    expect(found.culprit).toBeNull();
  });

  it('that is damaged in places says so in the warnings', () => {
    const found = report({}, aFirmware({ symbols, notes: ['The line table is damaged.'] }));

    expect(found.warnings).toContainEqual({
      code: 'FIRMWARE_INCOMPLETE',
      message: 'The line table is damaged.',
    });
  });

  it('of another architecture is not used, with a warning', () => {
    const found = report({}, xtensaFirmware);

    expect(found.warnings.map(({ message }) => message).join()).toContain('firmware ELF is for xtensa');
    expect(found.tasks[0]?.frames[0]?.function).toBeNull();
  });

  it('that cannot be read costs the names, not the report', () => {
    const core = elfDump({ machine: 'riscv', tasks: [aTask()] }, 'ELF SHA256 v2.1', CHIP.esp32c3);

    const found = readCrashDump({ core, elf: new Uint8Array(64) }).report;

    expect(found.crashedTask).toBe('main');
    expect(found.warnings.map(({ message }) => message).join()).toContain('could not be read');
  });
});

describe('tasks', () => {
  const others = (second: Parameters<typeof aTask>[0], elf = firmware) =>
    report(
      { tasks: [aTask(), aTask({ tcb: 0x3fc9a000, stackTop: 0x3fc9b000, stackEnd: 0x3fc9b100, ...second })] },
      elf,
    ).tasks[1];

  it('are ready, delayed or suspended by the list that they are in', () => {
    expect(others({ stateList: 0x3fc80014 })?.state).toBe('ready');
    expect(others({ stateList: 0x3fc81000 })?.state).toBe('delayed');
    expect(others({ stateList: 0x3fc82000 })?.state).toBe('suspended');
    expect(others({ stateList: 0x3fc90000 })?.state).toBeNull();
  });

  it('are blocked when they are in an event list too', () => {
    const task = others({ stateList: 0x3fc82000, eventList: 0x3fc83024 });

    expect(task).toMatchObject({ state: 'blocked', waitingFor: 'an event (list 0x3fc83024)' });
  });

  it('wait for what the FreeRTOS call in their backtrace takes', () => {
    const waiting = aFirmware({
      symbols: [...symbols, { name: 'xQueueSemaphoreTake', address: 0x42000400, size: 0x100 }],
    });

    const task = others({ stateList: 0x3fc82000, eventList: 0x3fc83024, pc: 0x42000410 }, waiting);

    expect(task?.waitingFor).toBe('semaphore or mutex');
  });

  it('show stack use as FreeRTOS noted it, and their base priority when the layout is known', () => {
    const members = { uxBasePriority: { offset: 100, size: 4 }, pxEndOfStack: { offset: 104, size: 4 } };

    const plain = report({}).tasks[0];
    const known = report({ appElfSha256: 'ababababa' }, aFirmware({ symbols, members })).tasks[0];

    expect(plain).toMatchObject({ priority: 1, basePriority: null, stackUsed: 0x100, stackFree: 0xf00 });
    expect(known).toMatchObject({ basePriority: 0, stackUsed: 0x3fc91f00 });
  });

  it('of the crashed one is running', () => {
    expect(report({}).tasks[0]).toMatchObject({ crashed: true, state: 'running' });
  });

  it('with the stack pointer below the stack have overflowed it', () => {
    const task = aTask({ stackStart: 0x3fc91f40, registers: { 2: 0x3fc91f20 } });

    const found = report({ tasks: [task] });

    expect(found.tasks[0]?.stackOverflow).toBe('its stack pointer 0x3fc91f20 is 32 bytes below its stack');
    expect(found.warnings.map(({ message }) => message).join()).toContain("'main' has overflowed");
  });

  it('tell how much of their stack was never used, when the dump holds it', () => {
    const untouched = { address: 0x3fc91000, bytes: padded(new Uint8Array(100).fill(0xa5), 0xf00) };
    const overwritten = { address: 0x3fc91000, bytes: padded(new Uint8Array(8).fill(0xa5), 0xf00) };

    expect(report({ segments: [untouched] }).tasks[0]).toMatchObject({
      stackNeverUsed: 100,
      stackOverflow: null,
    });
    expect(report({ segments: [overwritten] }).tasks[0]).toMatchObject({
      stackNeverUsed: 8,
      stackOverflow: 'the guard bytes at the end of its stack are overwritten',
    });
  });

  it('begin with the crashed one, wherever the dump has it', () => {
    const second = aTask({ tcb: 0x3fc9a000, name: 'second', stackTop: 0x3fc9b000, stackEnd: 0x3fc9b100 });

    const found = report({ tasks: [aTask(), second], crashedTcb: second.tcb });
    const unknown = report({ tasks: [aTask(), second], crashedTcb: 0x3fc00000 });

    expect(found.tasks.map(({ name, crashed }) => [name, crashed])).toEqual([
      ['second', true],
      ['main', false],
    ]);
    expect(unknown.crashedTask).toBe('main');
    expect(unknown.warnings.map(({ message }) => message).join()).toContain('0x3fc00000 is not among');
  });

  it('are none of them the crashed one when the device found that one broken', () => {
    const found = report({ crashedTcb: 0xdeadbeef });

    expect(found.crashedTask).toBeNull();
    expect(found.tasks.every((task) => !task.crashed)).toBe(true);
    expect(found.warnings.map(({ message }) => message).join()).toContain('itself broken');
  });
});

describe('registers', () => {
  it('stand in the order of GDB, with symbols and fill patterns', () => {
    const { registers } = report({
      tasks: [aTask({ registers: { 1: 1, 2: 2, 8: 8, 10: 0xfefefefe, 31: 31 } })],
    });

    expect(registers.map(({ name }) => name).slice(0, 9)).toEqual([
      'ra',
      'sp',
      'gp',
      'tp',
      't0',
      't1',
      't2',
      'fp',
      's1',
    ]);
    expect(registers.at(-1)).toMatchObject({ name: 'pc', value: '0x42000010' });
    expect(registers.find(({ name }) => name === 'a0')?.meaning).toBe('heap memory that was freed');
  });

  it('of Xtensa begin with those of the exception', () => {
    const core: CoreSpec = { machine: 'xtensa', tasks: [aTask()], exception: { exccause: 28, excvaddr: 4 } };

    const fromElf = report(core, null).registers.map(({ name }) => name);
    const fromBin = readCrashDump({ core: binDump(core, 'BIN v1', CHIP.esp32), elf: null }).report.registers;

    expect(fromElf.slice(0, 6)).toEqual(['exccause', 'excvaddr', 'epc1', 'eps2', 'pc', 'lbeg']);
    expect(fromBin[0]).toMatchObject({ name: 'exccause', value: '0x0000001c' });
  });
});
