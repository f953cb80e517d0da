import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { causeOf } from '../../src/crashdump/arch/architectures.js';
import type { Dump } from '../../src/crashdump/core/core.js';
import { type CrashReport, readCrashDump } from '../../src/crashdump/index.js';
import { everyCrash, fixture } from '../support/fixtures.js';
import { findCaseFile, missingFiles } from '../support/real-cases.js';
import { openDump, printPanic } from './panic-texts.js';
import { summaryOf } from './summaries.js';

/** A crash at a place of the application, printed and dumped by the same device: one crash, one report. */
const CRASHES = everyCrash().filter(({ crash }) => crash !== 'stack-overflow' && crash !== 'task-watchdog');
const CASES = ['esp32-elf-head', 'esp32c3-elf-head', 'esp32s3-bin-head', 'esp32-bin-idf-v3.3'];

describe('a panic text', () => {
  it.each(CRASHES)('says of $title what the dump says', ({ build, crash }) => {
    const core = readFileSync(build.dump(crash));
    const elf = readFileSync(build.elfPath);

    const { report, text } = bothOf(core, elf, printed);

    expect(text).toEqual(report);
  });

  it.each(CASES)('says of the real %s what the dump says', (name) => {
    const [dump, firmware] = ['dump.bin', 'firmware.elf'].map((file) => findCaseFile(name, file));
    if (!dump || !firmware) return expect(missingFiles(name, ['dump.bin', 'firmware.elf'])).not.toBe('');

    const { report, text } = bothOf(readFileSync(dump), readFileSync(firmware), printed);

    expect(text).toEqual(report);
  });

  it.each(['partial-esp32s2-6e53888', 'partial-esp32c2-6e53888'])(
    'groups %s as its dump without an ELF',
    (name) => {
      const dump = findCaseFile(name, 'dump.bin');
      if (!dump) return expect(missingFiles(name, ['dump.bin'])).not.toBe('');

      const { report, text } = bothOf(readFileSync(dump), null, printed);

      expect(text).toEqual(report);
    },
  );

  it('shows the frames that lie in the printed stack, and says where it ends', () => {
    const values = fixture('values-1.0.0');
    const [core, elf] = [readFileSync(values.dump('abort')), readFileSync(values.elfPath)];
    const whole = readCrashDump({ core, elf }).report;
    for (const stackBytes of [0, 32, 64, 96, 128, 192]) {
      const text = printPanic(openDump(core), null, { stackBytes });

      const { tasks } = readCrashDump({ core: Buffer.from(text), elf }).report;

      const frames = namesOf(tasks[0]);
      expect(frames).toEqual(namesOf(whole.tasks[0]).slice(0, frames.length));
      expect(frames.length).toBeGreaterThan(0);
      expect(tasks[0]?.backtraceEnd).toMatch(
        stackBytes === 0
          ? /^the text has nothing of the stack$/
          : new RegExp(
              `^Cannot access memory at address 0x[0-9a-f]{8}: ${stackBytes} bytes of the stack were printed$`,
            ),
      );
    }
  });

  it.each([
    ['Backtrace: 0xfffffffd:0x3ffb4ec0 0x400d66b9:0x3ffb4f70', ['0x00000000', '0x400d66bc']],
    ['{"pc":"0x0","chip":"esp32","backtrace":["0xfffffffd","0x400d66b9"]}', ['0x00000000', '0x400d66bc']],
  ])('has the call of NULL in %s once, and at 0', (text, addresses) => {
    const { tasks } = readCrashDump({ core: Buffer.from(text), chip: 'esp32' }).report;

    expect(tasks[0]?.frames.map(({ pc }) => pc)).toEqual(addresses);
  });

  it('says that the device could not follow the calls', () => {
    const text =
      "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.\r\n" +
      'PC      : 0x400d66bc  PS      : 0x00060820\r\n' +
      'Backtrace: 0x400d66b9:0x3ffb4ec0 |<-CORRUPTED\r\n';
    const { tasks, warnings } = readCrashDump({ core: Buffer.from(text) }).report;

    expect(tasks[0]?.backtraceEnd).toBe('the device found the stack corrupted');
    expect(warnings).toContainEqual({
      code: 'BACKTRACE_CORRUPTED',
      message:
        'The device found its stack broken: it could not follow the calls, and printed only where it was.',
    });
  });

  it('names tasks and chip as far as it knows them', () => {
    const thermostat = fixture('thermostat-1.0.0');
    const core = readFileSync(thermostat.dump('stack-overflow'));
    const text = printPanic(openDump(core), null);

    const { report } = readCrashDump({ core: Buffer.from(text), elf: readFileSync(thermostat.elfPath) });

    expect(report).toMatchObject({
      source: 'panic_text',
      kind: 'STACK_OVERFLOW',
      crashedTask: 'sensor',
      chip: 'esp32c3',
      format: 'ESP-IDF panic',
      checksum: 'absent',
      elfMatches: true,
    });
    expect(report.tasks).toHaveLength(1);
    expect(report.tasks[0]).toMatchObject({ name: 'sensor', tcb: '0x00000000', crashed: true, core: 0 });
    expect(report.fingerprint).toBe(
      readCrashDump({ core, elf: readFileSync(thermostat.elfPath) }).report.fingerprint,
    );
  });
});

describe('a summary', () => {
  it.each(CRASHES)('says of $title what the dump says, without the saved registers', ({ build, crash }) => {
    const core = readFileSync(build.dump(crash));
    const elf = readFileSync(build.elfPath);

    const { report, text } = bothOf(core, elf, (dump, reason) =>
      summaryOf(dump, { reason: reason ?? dump.panicDetails }),
    );

    expect(text).toEqual(report);
  });

  it.each(CASES)('says of the real %s what the dump says', (name) => {
    const [dump, firmware] = ['dump.bin', 'firmware.elf'].map((file) => findCaseFile(name, file));
    if (!dump || !firmware) return expect(missingFiles(name, ['dump.bin', 'firmware.elf'])).not.toBe('');

    const { report, text } = bothOf(readFileSync(dump), readFileSync(firmware), (from, reason) =>
      summaryOf(from, { reason: reason ?? from.panicDetails }),
    );

    expect(text).toEqual(report);
  });
});

function printed(dump: Dump, reason: string | null): string {
  return printPanic(dump, reason);
}

/** The parts of both reports that do not need the memory of tasks. */
function bothOf(
  core: Uint8Array,
  elf: Uint8Array | null,
  write: (dump: Dump, reason: string | null) => string,
) {
  const dump = openDump(core);
  const { report } = readCrashDump({ core, elf });
  const { cause } = dump.exception;
  const isAbort = dump.panicDetails !== null || report.kind === 'ABORT' || report.kind === 'ASSERT';
  dump.panicDetails ??= report.reason;
  const name = cause === null ? '' : causeOf(dump.architecture, cause).name.replace(/Cause$/, '');
  const text = write(dump, isAbort ? null : name);
  const read = readCrashDump({ core: Buffer.from(text), elf, chip: report.chip }).report;
  expect(read.source).not.toBe('core_dump');
  return { report: comparable(report), text: comparable(read) };
}

function comparable(report: CrashReport) {
  const { kind, reason, explanation, culprit, fingerprint, elfMatch, usesElf, faultAddress, chip } = report;
  const [crashed] = report.tasks;
  return {
    ...{ kind, reason, explanation, culprit, fingerprint, elfMatch, usesElf, faultAddress, chip },
    frames: namesOf(crashed),
    end: crashed?.backtraceEnd,
  };
}

function namesOf(task: CrashReport['tasks'][number] | undefined) {
  return (
    task?.frames.map(
      (frame) =>
        `${frame.pc} ${frame.function} ${frame.file}:${frame.line}${frame.inlined ? ' inlined' : ''}`,
    ) ?? []
  );
}
