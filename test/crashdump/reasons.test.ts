import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeCrash } from '../../src/crash-groups/describe-crash.js';
import { type CrashReport, readCrashDump } from '../../src/crashdump/index.js';
import { measureReasons, wrongOnes } from '../accuracy/reasons.js';
import { findCaseFile, missingFiles, SEARCHED } from '../support/real-cases.js';
import { aTask, bytes, CHIP, type CoreSpec, elfDump, words } from './builders.js';
import { aCallChain } from './call-chain.js';

const rows = await measureReasons();

describe('reasons', () => {
  for (const { kind, tried, wrong } of rows) {
    const skipped = tried === 0 ? ` (skipped: no field/ and reader/ in ${SEARCHED})` : '';
    it.skipIf(tried === 0)(`are right: ${kind}${skipped}`, () => {
      expect(wrong, wrongOnes.join('\n')).toBe(0);
    });
  }

  it('say that the heap was corrupted before it was found, and who used the heap', () => {
    const chain = [
      'panic_abort',
      'esp_system_abort',
      '__assert_func',
      'remove_free_block',
      'malloc',
      'publish',
    ];
    const panicDetails =
      'assert failed: remove_free_block tlsf.c:211 (next && "next_free field can not be null")';

    expect(ofChain(chain, { panicDetails }).explanation).toBe(
      'The heap was corrupted earlier, by a write outside a block or to a freed one, and found by `remove_free_block` ' +
        'only now in `publish` at publish.c:1',
    );
    const twice =
      'assert failed: tlsf_free tlsf.c:1120 (!block_is_free(block) && "block already marked as free")';
    expect(ofChain(chain, { panicDetails: twice }).explanation).toBe(
      'A heap block was freed twice in `publish` at publish.c:1',
    );
  });

  it('take a write to NULL for what it is, unless a text or a name tells of abort()', () => {
    const bug = ofChain(['set_flag', 'app_main']);
    const nameless = read({ machine: 'riscv', tasks: [aTask()], exception: { mcause: 7 } });
    const abort = ofChain(['panic_abort', 'abort', 'check', 'app_main']);

    expect(bug).toMatchObject({
      kind: 'INVALID_WRITE',
      explanation: expect.stringContaining('NULL pointer written in'),
    });
    expect(nameless.explanation).toBe(
      'NULL pointer written: by a bug, or by abort(), which in ESP-IDF stops the chip this way',
    );
    // What the device printed: the return address less 3.
    expect(abort).toMatchObject({ kind: 'ABORT', reason: 'abort() was called at PC 0x4200021d' });
  });

  it('name what made the program stop itself', () => {
    const outOfRange = 'std::__throw_out_of_range_fmt(char const*, ...)';
    const explanationOf = (...thrower: string[]) =>
      ofChain(['panic_abort', 'abort', ...thrower, 'read_line', 'app_main']).explanation;

    expect(explanationOf(outOfRange)).toBe(
      'A C++ exception (std::out_of_range) was thrown and not caught in `read_line` at read_line.c:1',
    );
    expect(explanationOf('_esp_error_check_failed')).toBe(
      'ESP_ERROR_CHECK got an error in `read_line` at read_line.c:1',
    );
    expect(explanationOf('std::terminate()', '__cxa_throw')).toMatch(
      /^A C\+\+ exception was thrown and not caught in/,
    );
  });

  it.each([
    `assert failed: ${'multi_heap'.repeat(50_000)}`,
    '***ERROR*** A stack overflow in task '.repeat(20_000),
    'Stack canary watchpoint triggered ('.repeat(20_000),
    `abort() was called at PC 0x${'0'.repeat(500_000)}`,
    `Task watchdog got triggered.${'\n - (CPU 0)'.repeat(50_000)}`,
    `FreeRTOS Task "${'" should not return'.repeat(30_000)}`,
    '0x'.repeat(300_000),
  ])('are read in a moment from half a megabyte of text, number %#', (panicDetails) => {
    const found = ofChain(['abort', 'app_main'], { panicDetails });

    expect(found.fingerprint).toMatch(/^v2:/);
    expect(found.watchdogTasks.length).toBeLessThan(100);
    expect(describeCrash(found).title.length).toBeLessThan(300);
  });

  it('are not taken from a text that nothing on the stack points to', () => {
    const text = bytes('assert failed: old old.c:1 (x)\0\0');
    const core: CoreSpec = {
      machine: 'riscv',
      tasks: [aTask({ registers: { 2: 0x3fc91fa0 } })],
      segments: [{ address: 0x3fc70000, bytes: text }],
      exception: { mcause: 7 },
    };

    expect(read(core).kind).toBe('INVALID_WRITE');
  });
});

describe('a debug exception', () => {
  const stackStart = 0x3fc91000;
  const at = (sp: number, overrides: Partial<CoreSpec> = {}) =>
    read({
      machine: 'riscv',
      tasks: [aTask({ registers: { 2: sp }, stackStart, stackTop: sp - 160 })],
      exception: { mcause: 3 },
      ...overrides,
    });

  it('at the end of the stack is an overflow of the task', () => {
    const found = at(stackStart + 48);

    expect(found).toMatchObject({
      kind: 'STACK_OVERFLOW',
      explanation: expect.stringContaining("task 'main' was too small"),
    });
    expect(found.fingerprint).toBe(
      read({ machine: 'riscv', tasks: [aTask()], exception: { mcause: 27 } }).fingerprint,
    );
  });

  it.each([
    ['with half of the stack left', {}],
    ['for another address', { exception: { mcause: 3, mtval: 0x3fc80000 } }],
  ])('%s is none', (_, overrides) => {
    expect(at(stackStart + 0x800, overrides).kind).toBe('BREAKPOINT');
  });

  it('by a break instruction is none, although the guard bytes are overwritten', () => {
    const guard = { address: stackStart, bytes: words(1, 2, 3, 4, 5, 0xa5a5a5a5) };
    const ebreak = { address: 0x42000010, bytes: words(0x00100073) };

    expect(at(stackStart + 0x800, { segments: [guard] }).kind).toBe('STACK_OVERFLOW');
    expect(at(stackStart + 0x800, { segments: [guard, ebreak] }).kind).toBe('BREAKPOINT');
  });
});

describe('a task watchdog', () => {
  const text = (...tasks: string[]) =>
    [
      'Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:',
      ...tasks,
    ].join('\n - ');

  it('blames who spins, not the lock', () => {
    const found = ofChain(
      ['spinlock_acquire', 'vPortEnterCritical', 'xQueueSemaphoreTake', 'wait_for_bus', 'busy'],
      {
        panicDetails: text('IDLE0 (CPU 0)'),
      },
    );

    expect(found.culprit?.function).toBe('wait_for_bus');
    expect(found.watchdogTasks).toEqual(['IDLE0 (CPU 0)']);
  });

  it('blames the task that it waited for where only the idle task was running', () => {
    const { task, firmware } = aCallChain(
      ['esp_cpu_wait_for_intr', 'prvIdleTask', 'xQueueReceive', 'read_modem'],
      {
        name: 'IDLE0',
      },
    );
    const idle = aCallChain(['esp_cpu_wait_for_intr', 'prvIdleTask'], { name: 'IDLE0' }).task;
    const late = {
      ...task,
      name: 'modem',
      tcb: 0x3fc93000,
      pc: 0x42000220,
      stackTop: 0x3fc95d00,
      stackEnd: 0x3fc96000,
      registers: { 2: 0x3fc95e00 },
      stack: { 1070161420: 0x42000320 },
    };
    const core: CoreSpec = { machine: 'riscv', tasks: [idle, late], panicDetails: text('modem (CPU 0)') };

    const found = readCrashDump({ core: dumpOf(core), elf: firmware }).report;

    expect(found.culprit?.function).toBe('read_modem');
    expect(found.watchdogTasks).toEqual(['modem (CPU 0)']);
  });
});

const files = { field: 'z-esp32-sha-zeros.bin', 'esp32-elf-head': 'firmware.elf' };
const missing = Object.entries(files)
  .map(([folder, file]) => missingFiles(folder, [file]))
  .join('');

it.skipIf(missing !== '')(`a SHA-256 of zeros is none${missing}`, () => {
  const path = (folder: string, file: string) => findCaseFile(folder, file) ?? '';
  const elf = readFileSync(path('esp32-elf-head', 'firmware.elf'));
  const of = (folder: string, file: string) =>
    readCrashDump({ core: readFileSync(path(folder, file)), elf }).report;
  const zeros = of('field', 'z-esp32-sha-zeros.bin');

  expect(zeros.appElfSha256).toBeNull();
  expect(zeros.warnings).toEqual([]);
  expect(zeros.fingerprint).toBe(of('esp32-elf-head', 'dump.bin').fingerprint);
});

function ofChain(names: string[], overrides: Partial<CoreSpec> = {}): CrashReport {
  const { task, firmware } = aCallChain(names);
  const core: CoreSpec = { machine: 'riscv', tasks: [task], exception: { mcause: 7 }, ...overrides };
  return readCrashDump({ core: dumpOf(core), elf: firmware }).report;
}

function read(core: CoreSpec): CrashReport {
  return readCrashDump({ core: dumpOf(core), elf: null }).report;
}

function dumpOf(core: CoreSpec): Uint8Array {
  return elfDump(core, 'ELF SHA256 v2.1', CHIP.esp32c3);
}
