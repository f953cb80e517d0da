import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FirmwareImage } from '../../src/crashdump/firmware/firmware-image.js';
import { type CrashReport, readCrashDump } from '../../src/crashdump/index.js';
import { completeCases, findCaseFile } from '../support/real-cases.js';
import { aFirmware, aTask, binDump, CHIP, type CoreSpec, elfDump, words } from './builders.js';

const SHA = 'ababababa';

function report(core: Partial<CoreSpec>, elf: FirmwareImage | null = null): CrashReport {
  const whole: CoreSpec = { machine: 'riscv', tasks: [aTask()], appElfSha256: SHA, ...core };
  const chip = whole.machine === 'riscv' ? CHIP.esp32c3 : CHIP.esp32;
  return readCrashDump({ core: elfDump(whole, 'ELF SHA256 v2.1', chip), elf }).report;
}

describe('the cause of a crash', () => {
  it('is that of mcause, with the address that was accessed', () => {
    const found = report({
      exception: { mcause: 5, mtval: 0x10 },
      tasks: [aTask({ registers: { 2: 0x3fc91fa0 } })],
    });

    expect(found).toMatchObject({
      schemaVersion: 2,
      kind: 'INVALID_READ',
      faultAddress: '0x00000010',
      cause: { code: 5, name: 'Load access fault', register: 'mcause', address: '0x00000010' },
    });
  });

  it('is that of exccause, whose address is none when the cause has none', () => {
    const divided = report({ machine: 'xtensa', exception: { exccause: 6, excvaddr: 0x3f400000 } });
    const written = report({ machine: 'xtensa', exception: { exccause: 29, excvaddr: 4 } });

    expect(divided.faultAddress).toBeNull();
    expect(divided.cause).toEqual({
      code: 6,
      name: 'IntegerDivideByZeroCause',
      register: 'exccause',
      address: '0x3f400000',
    });
    expect(written).toMatchObject({ faultAddress: '0x00000004', cause: { name: 'StoreProhibitedCause' } });
  });

  it('is null when the device had none to write', () => {
    expect(report({ machine: 'xtensa', exception: { exccause: 0xffff } }).cause).toBeNull();
  });
});

describe('the cores of tasks', () => {
  const members = { xCoreID: { offset: 68, size: 4 } };
  const kernel = aFirmware({
    machine: 'xtensa',
    members,
    symbols: [{ name: 'pxCurrentTCBs', address: 0x3ffb0000, size: 8 }],
  });
  const tasks = [1, 0x7fffffff, 0].map((affinity, index) =>
    aTask({ tcb: 0x3fc90000 + index * 0x20000, stackTop: 0x3fc91f00 + index * 0x20000, affinity }),
  );

  it('are where each ran, and where it is pinned to', () => {
    const current = { address: 0x3ffb0000, bytes: words(tasks[1]?.tcb ?? 0, tasks[0]?.tcb ?? 0) };

    const found = report({ machine: 'xtensa', tasks, segments: [current] }, kernel);

    expect(found.tasks.map(({ core, coreAffinity, state }) => [core, coreAffinity, state])).toEqual([
      [1, 1, 'running'],
      [0, null, 'running'],
      [null, 0, null],
    ]);
  });

  it('are found without debug information where a task without affinity shows their place', () => {
    const found = report({ machine: 'xtensa', tasks });
    const pinned = report({
      machine: 'xtensa',
      tasks: tasks.filter(({ affinity }) => affinity !== 0x7fffffff),
    });

    expect(found.tasks.map(({ coreAffinity }) => coreAffinity)).toEqual([1, null, 0]);
    expect(pinned.tasks.map(({ coreAffinity }) => coreAffinity)).toEqual([null, null]);
  });

  it('are 0 on a chip with one core, and null where nothing is known', () => {
    expect(report({}).tasks[0]?.core).toBe(0);
    expect(report({ machine: 'xtensa' }).tasks[0]?.core).toBeNull();
    expect(
      report({ machine: 'xtensa', panicDetails: 'abort() was called at PC 0x40081234 on core 1' }).tasks[0]
        ?.core,
    ).toBe(1);
  });
});

describe('the registers of tasks', () => {
  const second = aTask({ tcb: 0x3fc9a000, stackTop: 0x3fc9b000, stackEnd: 0x3fc9b100, pc: 0x42000300 });

  it('are those of each task, not only of the crashed one', () => {
    const found = report({ tasks: [aTask(), { ...second, registers: { 1: 0x42000123, 10: 7 } }] });

    const of = (index: number) =>
      Object.fromEntries(found.tasks[index]?.registers.map(({ name, value }) => [name, value]) ?? []);
    expect(of(1)).toMatchObject({ pc: '0x42000300', ra: '0x42000123', a0: '0x00000007' });
    expect(found.tasks[0]?.registers).toEqual(found.registers);
  });

  it('that Xtensa does not save when a task yields are left out', () => {
    const core: CoreSpec = { machine: 'xtensa', tasks: [aTask(), { ...second, stack: { 1070182400: 0 } }] };

    const { tasks } = report(core);

    expect(tasks[1]?.registers.map(({ name }) => name)).toEqual(['pc', 'ps', 'a0', 'a1', 'a2', 'a3']);
    expect(tasks[0]?.registers.map(({ name }) => name)).toContain('a15');
  });

  it('are none for a stack that the device did not dump', () => {
    const broken = { ...second, stackTop: 0x20000000, stackEnd: 0x20000100, pc: 0x20000000 };

    expect(report({ tasks: [aTask(), broken] }).tasks[1]?.registers).toEqual([]);
  });

  it('are of a BIN dump as of an ELF dump', () => {
    const core: CoreSpec = {
      machine: 'xtensa',
      tasks: [aTask(), { ...second, registers: { 0: 0x80081234 } }],
    };
    const { report: found } = readCrashDump({ core: binDump(core, 'BIN v2', CHIP.esp32), elf: null });

    const names = found.tasks[1]?.registers.map(({ name }) => name);
    expect(names?.slice(0, 2)).toEqual(['pc', 'lbeg']);
    expect(found.tasks[1]?.registers).toContainEqual(
      expect.objectContaining({ name: 'a0', value: '0x80081234' }),
    );
  });
});

/** esp-coredump of that time had another size for .flash.text. */
const CASES = completeCases().filter((name) => name !== 'esp32-bin-idf-v3.3');

describe('the memory regions', () => {
  it.each(CASES)('of %s are those that esp-coredump lists', (name) => {
    const read = (file: string) => readFileSync(findCaseFile(name, file) ?? '');
    const { report: found } = readCrashDump({ core: read('dump.bin'), elf: read('firmware.elf') });

    const theirs = regionsIn(read('expected_output.txt').toString());

    expect(theirs.length).toBeGreaterThan(10);
    expect(
      found.memoryRegions.map(({ name: region, address, size, attributes }) =>
        [region, Number(address), size, attributes].join(' '),
      ),
    ).toEqual(theirs);
    expect(found.memoryRegionCount).toBe(theirs.length);
  });

  it('that touch each other are one', () => {
    const segments = [0x3fc80010, 0x3fc80000, 0x3fc80024].map((address) => ({
      address,
      bytes: new Uint8Array(16),
    }));

    const { memoryRegions } = report({ segments });

    expect(memoryRegions.slice(0, 2)).toEqual([
      { name: '.coredump.tasks.data', address: '0x3fc80000', size: 32, attributes: 'RW', source: 'dump' },
      { name: '.coredump.tasks.data', address: '0x3fc80024', size: 16, attributes: 'RW', source: 'dump' },
    ]);
  });

  it('are at most 256, with the number of all', () => {
    const segments = Array.from({ length: 1000 }, (_, index) => ({
      address: 0x3fca0000 + index * 32,
      bytes: new Uint8Array(16),
    }));

    const { memoryRegions, memoryRegionCount } = report({ segments });

    expect(memoryRegions).toHaveLength(256);
    expect(memoryRegionCount).toBe(1002);
  });
});

/** esp-coredump lists the dump's segments in the order of the file. */
function regionsIn(output: string): string[] {
  const section =
    output
      .split('ALL MEMORY REGIONS')[1]
      ?.split('====\n')[1]
      ?.split(/^=====/m)[0] ?? '';
  const lines = [...section.matchAll(/^(\S+) (0x[0-9a-f]+) (0x[0-9a-f]+) (.*)$/gm)].map(
    ([, name = '', address, size, attributes = '']) => ({
      name,
      address: Number(address),
      size: Number(size),
      attributes: attributes.trimEnd(),
    }),
  );
  const isDumped = ({ name }: { name: string }) => name.startsWith('.coredump.');
  return [
    ...lines.filter((line) => !isDumped(line)),
    ...lines.filter(isDumped).sort((a, b) => a.address - b.address),
  ].map(({ name, address, size, attributes }) => [name, address, size, attributes].join(' '));
}
