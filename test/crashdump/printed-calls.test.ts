import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { peekDump, readCrashDump, UnreadableDump } from '../../src/crashdump/index.js';
import { fixture } from '../support/fixtures.js';
import { openDump } from './panic-texts.js';
import { summaryOf } from './summaries.js';

const thermostat = fixture('thermostat-1.0.0');
const ELF = readFileSync(thermostat.elfPath);
const CORE = readFileSync(thermostat.dump('null-pointer'));
const WHOLE = readCrashDump({ core: CORE, elf: ELF }).report;

/** Return addresses of the crash, behind its pc. */
const CALLS = [...new Set(WHOLE.tasks[0]?.frames.map(({ pc }) => pc))];

describe('calls that a device recorded', () => {
  it('are looked up as return addresses on RISC-V, the first as the faulting instruction', () => {
    const { report } = read({ reason: 'Load access fault', pc: CALLS[0], backtrace: CALLS, chip: 'esp32c3' });

    expect(names(report)).toEqual(names(WHOLE));
    expect(report.tasks[0]?.frames.map(({ trust }) => trust)).toEqual([
      ...['context', 'context', 'printed', 'printed', 'printed'],
    ]);
    expect(report.fingerprint).toBe(WHOLE.fingerprint);
  });

  it('without registers have a first frame all the same', () => {
    const { report } = read({ reason: 'Load access fault', backtrace: CALLS, chip: 'esp32c3' });

    expect(names(report)).toEqual(names(WHOLE));
    expect(report.registers).toEqual([]);
    expect(report.reason).toBe(`Load access fault at PC ${CALLS[0]}`);
  });

  it('that the firmware ELF has no call for are not believed', () => {
    const wrong = CALLS.map((pc) => `0x${(Number(pc) + 0x2a).toString(16)}`);
    const { report } = read({ reason: 'Load access fault', pc: wrong[0], backtrace: wrong, chip: 'esp32c3' });

    expect(report.usesElf).toBe(false);
    expect(report.warnings).toContainEqual({
      code: 'FIRMWARE_DOES_NOT_FIT',
      message: expect.stringMatching(
        /^The summary does not name its firmware, and the firmware ELF has other code/,
      ),
    });
    expect(report.tasks[0]?.frames.every((frame) => frame.function === null)).toBe(true);
  });

  it('are taken as they are with the ELF that the summary names', () => {
    const sha = WHOLE.appElfSha256;
    const { report } = read({ pc: CALLS[0], backtrace: CALLS, elf_sha256: sha, chip: 'esp32c3' });

    expect(report).toMatchObject({ elfMatch: 'matches', usesElf: true, elfEvidence: null, warnings: [] });
    expect(report.reason).toBe('The summary does not say why the chip stopped');
  });

  it.each([16, 32])('end in words where a device records %i at most', (length) => {
    const full = Array.from({ length }, (_, index) => CALLS[index % CALLS.length]);

    const { report } = read({ backtrace: full, chip: 'esp32c3', elf_sha256: WHOLE.appElfSha256 });

    expect(report.tasks[0]?.backtraceEnd).toBe('the device recorded no more frames');
  });

  it('of any other number end with the outermost function', () => {
    const calls = Array.from({ length: 20 }, (_, index) => CALLS[index % CALLS.length]);

    const { report } = read({ backtrace: calls, chip: 'esp32c3', elf_sha256: WHOLE.appElfSha256 });

    expect(report.tasks[0]?.backtraceEnd).toBeNull();
  });

  it('leave out the entry that the device found insane, and name it', () => {
    const broken = [...CALLS.slice(0, 2), '0x0004001d'];
    const { report } = read({
      backtrace: broken,
      corrupted: true,
      chip: 'esp32c3',
      elf_sha256: WHOLE.appElfSha256,
    });

    expect(names(report)).toEqual(names(WHOLE).slice(0, 4));
    expect(report.tasks[0]?.backtraceEnd).toBe(
      'the device found the stack corrupted behind this frame: it read 0x0004001d as its return address',
    );
  });
});

describe('a list of addresses', () => {
  it('becomes guesses of what the ELF knows, with a warning that nothing proves the ELF', () => {
    const { report } = read({ backtrace: [...CALLS, '0x3fc8b8e0'] });

    expect(report.tasks[0]?.frames.map(({ function: name }) => name)).toEqual(
      expect.arrayContaining(['sensor_read']),
    );
    expect(report.warnings.map(({ code }) => code)).toEqual(['FIRMWARE_UNPROVEN']);
  });
});

describe('the registers of a summary', () => {
  it('that are not in it are unknown, never 0', () => {
    const values = fixture('values-1.0.0');
    const core = readFileSync(values.dump('abort'));
    const elf = readFileSync(values.elfPath);
    const text = summaryOf(openDump(core), { reason: 'abort() was called at PC 0x42000000 on core 0' });

    const dump = readCrashDump({ core, elf }).report;
    const { report } = readCrashDump({ core: Buffer.from(text), elf });

    const whole = argumentsOf(dump);
    // Where a value is unknown, that at the function's entry may be known, as in GDB.
    const known = (key: string) =>
      whole.get(key) ?? whole.get(key.replace('@entry', ''))?.replace(/^.+@entry=/, '');
    const differing = [...argumentsOf(report)].filter(([key, value]) => value !== known(key));
    expect(differing.filter(([, value]) => !UNKNOWN.test(value))).toEqual([]);
    expect(whole.size).toBeGreaterThan(20);
    expect(report.registers.map(({ name }) => name)).toEqual([
      ...['ra', 'sp', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'pc'],
    ]);
  });
});

const UNKNOWN = /<optimized out>|optimized out|Cannot access memory/;

describe('a summary', () => {
  it('tells what is needed to choose its firmware', () => {
    const fields = {
      reason: 'LoadProhibited',
      chip: 'ESP32-S3',
      firmware_version: '1.2.3',
      elf_sha256: '1B43C5E74',
    };

    expect(peekDump(json(fields))).toEqual({
      source: 'summary',
      chip: 'esp32s3',
      appElfSha256: '1b43c5e74',
      firmwareVersion: '1.2.3',
      noCrash: null,
    });
    expect(peekDump(json({ ...fields, elf_sha256: '000000000' })).appElfSha256).toBeNull();
  });

  it.each([
    { what: 'another JSON', fields: { reason: 'not found', status: 404 } },
    { what: 'nothing of a crash', fields: { task: 'main', firmware_version: '1.0.0' } },
    { what: 'fields of other forms', fields: { reason: 7, pc: 'x', backtrace: 'none' } },
  ])('is not seen in $what', ({ fields }) => {
    expect(() => peekDump(json(fields))).toThrow(UnreadableDump);
  });

  it('bears fields of other forms beside those that tell the crash', () => {
    const { report } = read({
      reason: 'Load access fault',
      pc: -1,
      backtrace: [...CALLS, null, 'x', 1e12],
      registers: ['a'],
      stack: { address: '0x3fc8b8e0', data: 7 },
      chip: 42,
      log: [1, 'last line\u0007'],
      elf_sha256: {},
    });

    expect(report.kind).toBe('INVALID_READ');
    expect(report.logLines).toEqual(['last line\\x07']);
  });

  it('has the reason of its sender where no exception says more', () => {
    const { report } = readCrashDump({ core: json({ reason: 'out of luck', chip: 'esp32c3' }) });

    expect(report).toMatchObject({ reason: 'out of luck', kind: 'OTHER', chip: 'esp32c3', cause: null });
    expect(report.tasks[0]).toMatchObject({ frames: [], backtraceEnd: 'there is no backtrace in it' });
  });

  it.each([
    ['Interrupt wdt timeout on CPU0', 5, 'InterruptWDTTimoutCPU0 at PC 0x42001872', 'INTERRUPT_WATCHDOG'],
    ['LoadProhibited', 28, 'LoadProhibited at 0x00000010', 'INVALID_READ'],
    ['LoadProhibited at 0x00000010', 28, 'LoadProhibited at 0x00000010', 'INVALID_READ'],
    ['Cache disabled but cached memory region accessed', 7, 'CacheError at PC 0x42001872', 'CACHE_DISABLED'],
    ['Unknown', 29, 'StoreProhibited at 0x00000010', 'INVALID_WRITE'],
    ['Memory protection fault', 7, 'Memory protection fault', 'MEMORY_PROTECTION'],
    ['out of luck', 28, 'LoadProhibited at 0x00000010', 'INVALID_READ'],
  ])('says by its reason what %s with EXCCAUSE %i was', (reason, exccause, words, kind) => {
    const registers = { exccause, excvaddr: '0x00000010', ps: 0x60030 };

    const { report } = readCrashDump({ core: json({ reason, pc: '0x42001872', registers }) });

    expect(report).toMatchObject({ reason: words, kind, chip: 'xtensa' });
  });

  it('keeps the words of its sender beside a cause', () => {
    const registers = { exccause: 28, excvaddr: '0x00000010', ps: 0x60030 };

    const { output } = readCrashDump({ core: json({ reason: 'out of luck', registers }) });

    expect(output).toContain('Panic reason: LoadProhibited at 0x00000010\n  out of luck\n');
  });

  it.each([
    ['LoadProhibited', 'An invalid address read'],
    ['StoreProhibited', 'An invalid address written'],
    ['InstrFetchProhibited', 'A jump to an address, where no code is'],
  ])('explains %s without an address', (reason, explanation) => {
    const { report } = readCrashDump({ core: json({ reason, pc: '0x400d66bc', chip: 'esp32' }) });

    expect(report.explanation).toBe(explanation);
  });
});

function read(fields: Record<string, unknown>) {
  return readCrashDump({ core: json(fields), elf: ELF });
}

function json(fields: Record<string, unknown>): Uint8Array {
  return Buffer.from(JSON.stringify(fields));
}

function argumentsOf({ tasks }: typeof WHOLE): Map<string, string> {
  const all = tasks[0]?.frames.flatMap((frame) =>
    frame.arguments.map(({ name, value }): [string, string] => [`${frame.index} ${name}`, value]),
  );
  return new Map(all);
}

function names({ tasks }: typeof WHOLE) {
  return tasks[0]?.frames.map((frame) => `${frame.pc} ${frame.function} ${frame.file}:${frame.line}`) ?? [];
}
