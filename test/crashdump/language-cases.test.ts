import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCrashDump } from '../../src/crashdump/index.js';
import { findCaseFile, missingFiles } from '../support/real-cases.js';

/** Dumps of small programs in Rust and C++20; GDB's frames are the right ones. */
function crashOf(folder: string, name: string) {
  const file = (suffix: string) => readFileSync(findCaseFile(`reader/${folder}`, `${name}${suffix}`) ?? name);
  const { report, output } = readCrashDump({ core: file('.bin'), elf: file('.elf') });
  const task = report.tasks.find(({ crashed }) => crashed);
  return {
    report,
    output,
    frames: task?.frames ?? [],
  };
}

const needs = (folder: string, ...names: string[]) =>
  missingFiles(
    `reader/${folder}`,
    names.flatMap((name) => [`${name}.bin`, `${name}.elf`]),
  );

describe('crashes of programs in Rust', () => {
  const missing = needs('5-rust', 'r_v0', 'r_legacy', 'r3', 'p_read_sensor', 'p_send_mqtt');

  it.skipIf(missing !== '').each(['r_v0', 'r_legacy'])(
    `%s: frames have the paths of their modules${missing}`,
    (name) => {
      expect(
        crashOf('5-rust', name)
          .frames.map((frame) => frame.function)
          .slice(0, 5),
      ).toEqual([
        'brk',
        'fw::crash<i32>',
        'fw::run<fw::sensors::Bme<u32>>',
        'fw::app_main',
        'vPortTaskWrapper',
      ]);
    },
  );

  it.skipIf(missing !== '')(`show values as GDB does${missing}`, () => {
    const [, v1, v2] = crashOf('5-rust', 'r3').frames;
    const values = (frame = v1) =>
      Object.fromEntries((frame?.arguments ?? []).map(({ name, value }) => [name, value]));

    expect(values()).toEqual({ a: '200', b: 'true', c: "233 '\\xe9'", d: '-5', e: '7', f: '1.5' });
    expect(values(v2)).toMatchObject({
      s: '"hé"',
      o: 'fw::Opt<u32>::Some(4)',
      md: 'fw::Mode::On',
      p: '0x3c000024',
      sl: '0x3c00002c b"\\001\\002\\003"',
      raw: '0x10',
    });
  });

  it.skipIf(missing !== '')(`that panic at two places are two crashes${missing}`, () => {
    const [sensor, mqtt] = ['p_read_sensor', 'p_send_mqtt'].map((name) => crashOf('5-rust', name));

    expect([sensor?.report.culprit?.function, mqtt?.report.culprit?.function]).toEqual([
      'read_sensor',
      'send_mqtt',
    ]);
    expect(sensor?.report).toMatchObject({
      kind: 'ABORT',
      explanation: 'The Rust program panicked in `read_sensor` at panic.cpp:7',
    });
    expect(sensor?.report.fingerprint).not.toBe(mqtt?.report.fingerprint);
  });
});

describe('crashes of programs in C++20', () => {
  const missing = needs('6-cxx20', 'c20');

  it.skipIf(missing !== '')(`have readable names everywhere${missing}`, () => {
    const { report, output, frames } = crashOf('6-cxx20', 'c20');

    expect(frames.map((frame) => frame.function).slice(0, 6)).toEqual([
      'drv::crash<int>',
      'drv::Bus<int>::go',
      'drv::Bus<int>::self',
      '$_0::operator()<int>',
      'app_main',
      'vPortTaskWrapper',
    ]);
    expect(`${JSON.stringify(report)}${output}`).not.toMatch(/\b_[ZR][A-Z\d]/);
  });
});
