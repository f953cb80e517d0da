import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { redactOutput, redactReport } from '../../src/coredumps/redact.js';
import { findDeviceBlock } from '../../src/crashdump/core/device-block.js';
import { DumpMemory } from '../../src/crashdump/core/memory.js';
import { readCrashDump } from '../../src/crashdump/index.js';
import { cpuClock } from '../support/cpu-clock.js';
import { aTask, binDump, CHIP, elfDump } from './builders.js';
import { aDeviceBlock, type BlockSpec, resealHeader } from './device-blocks.js';

const ADDRESS = 0x3fc8c000;

/** A dump of the ESP32-C3 with one task, and these bytes in its memory. */
function aDumpWith(block: Uint8Array, address = ADDRESS): Uint8Array {
  const segments = [{ address, bytes: block }];
  return elfDump({ machine: 'riscv', tasks: [aTask()], segments }, 'ELF SHA256 v2.1', CHIP.esp32c3);
}

const blockIn = (bytes: Uint8Array) =>
  findDeviceBlock(new DumpMemory([{ address: ADDRESS, bytes, executable: false }]), null);
const reading = (spec: BlockSpec = {}) => readCrashDump({ core: aDumpWith(aDeviceBlock(spec)), elf: null });

describe('the block of the device component', () => {
  it('says who the device is, without an ELF', () => {
    const { report, output } = reading();

    expect(report.deviceIdentity).toEqual({
      model: 'thermostat',
      serial: '7cdfa1e5d3c8',
      firmwareVersion: '1.2.3',
      project: 'thermostat',
      elfSha256: 'ab'.repeat(32),
      bootId: '11'.repeat(8),
      bootCount: 7,
      resetReason: 'panic',
    });
    expect(output).toContain(
      'Device: serial 7cdfa1e5d3c8, model thermostat, firmware 1.2.3 (thermostat), boot 7, started by panic\n',
    );
  });

  it('has the values, except one that was being written', () => {
    const { report, output } = reading({
      values: [
        { name: 'wifi_rssi', content: -61n },
        { name: 'battery_v', content: 3.71 },
        { name: 'half', content: 1n, sequence: 3 },
        { name: 'state', content: 'verbunden ✓' },
      ],
    });

    expect(report.values).toEqual([
      { name: 'wifi_rssi', type: 'integer', value: '-61' },
      { name: 'battery_v', type: 'float', value: '3.71' },
      { name: 'state', type: 'text', value: 'verbunden ✓' },
    ]);
    expect(output).toContain('  wifi_rssi = -61\n  battery_v = 3.71\n  state = "verbunden ✓"\n');
  });

  it('has the log lines, also round the end of the ring and without a last line feed', () => {
    const log = 'I (1) app: one\nW (2) app: two\nI (3) wifi: thr';

    expect(reading({ log, logBegin: 230 }).report.logLines).toEqual(log.split('\n'));
  });

  it('makes control characters of the device visible, and no line of its log a heading', () => {
    const log = '===== CORE DUMP MEMORY CONTENTS =====\n\x1b[31mred\n';

    const { report, output } = reading({ log });

    expect(report.logLines).toEqual(['===== CORE DUMP MEMORY CONTENTS =====', '\\x1b[31mred']);
    expect(output).toContain('\n  ===== CORE DUMP MEMORY CONTENTS =====\n  \\x1b[31mred\n');
  });

  it('keeps the rest when its identity is broken, and is none when its header is', () => {
    const block = aDeviceBlock({ log: 'a line\n' });
    block[60] = 0xff;
    const header = aDeviceBlock({ log: 'a line\n' });
    header[20] = 0xff;

    const withoutIdentity = readCrashDump({ core: aDumpWith(block), elf: null }).report;
    const withoutHeader = readCrashDump({ core: aDumpWith(header), elf: null }).report;

    expect(withoutIdentity).toMatchObject({ deviceIdentity: null, logLines: ['a line'] });
    expect(withoutHeader).toMatchObject({ deviceIdentity: null, logLines: [] });
  });

  it('is found by its address, not by its place in the file, and not when it is of a later version', () => {
    const shifted = Buffer.concat([Buffer.alloc(8), aDeviceBlock()]);

    const found = readCrashDump({ core: aDumpWith(shifted, ADDRESS + 8), elf: null }).report.deviceIdentity;
    const later = reading({ version: 2 }).report.deviceIdentity;

    expect(found?.serial).toBe('7cdfa1e5d3c8');
    expect(later).toBeNull();
  });

  it('gives viewers numbers, but neither texts nor log lines', () => {
    const { report, output } = reading({
      values: [
        { name: 'wifi_rssi', content: -61n },
        { name: 'ssid', content: 'home-secret' },
      ],
      log: 'I (1) app: password hunter2\n==== not a heading ====\npin 1234\n',
    });

    const redacted = redactReport(report);
    const text = redactOutput(output);

    expect(redacted.values.map(({ value }) => value)).toEqual(['-61', '<redacted>']);
    expect(redacted.logLines).toEqual(['<redacted>: the log is for admins']);
    expect(redacted.deviceIdentity).toEqual(report.deviceIdentity);
    expect(text).toContain('serial 7cdfa1e5d3c8');
    expect(text).not.toMatch(/home-secret|hunter2|pin 1234/);
  });
});

describe('a block among others', () => {
  const OWN = 'ab'.repeat(32);
  const OLD = 'cd'.repeat(32);
  const blockFor = (elfSha256: string | null, blocks: Uint8Array[]) =>
    findDeviceBlock(
      new DumpMemory([{ address: ADDRESS, bytes: Buffer.concat(blocks), executable: false }]),
      elfSha256,
    );
  const old = aDeviceBlock({ serial: 'old', elfSha256: OLD, log: 'a line\n' });
  const own = aDeviceBlock({ serial: 'own', elfSha256: OWN });

  it('is that of the firmware that crashed', () => {
    const aligned = [old, Buffer.alloc((16 - (old.length % 16)) % 16), own];

    expect(blockFor(OWN.slice(0, 9), aligned)?.identity?.serial).toBe('own');
    expect(blockFor(null, aligned)?.identity?.serial).toBe('old');
  });

  it('is none when it is of another firmware', () => {
    expect(blockFor(OWN, [old])).toBeNull();
    expect(blockFor(OLD, [old])?.logLines).toEqual(['a line']);
  });

  it('is read from a dump of the old format too', () => {
    const segments = [{ address: ADDRESS, bytes: aDeviceBlock({ log: 'a line\n' }) }];
    const core = binDump({ machine: 'xtensa', tasks: [aTask()], segments }, 'BIN v2', CHIP.esp32);

    const { deviceIdentity, logLines } = readCrashDump({ core, elf: null }).report;

    expect(deviceIdentity?.serial).toBe('7cdfa1e5d3c8');
    expect(logLines).toEqual(['a line']);
  });
});

describe('a hostile block', () => {
  const whole = aDeviceBlock({
    values: [
      { name: 'a', content: 1n },
      { name: 'b', content: 'text' },
    ],
    log: 'line\n'.repeat(60),
    logBegin: 200,
  });

  it('does not throw, cut at any length', () => {
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => blockIn(whole.subarray(0, length))).not.toThrow();
    }
  });

  it('does not throw and stays small, with any bytes changed and its header sealed again', () => {
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    for (let round = 0; round < 2_000; round += 1) {
      const block = Buffer.from(whole);
      for (let change = 0; change < 3; change += 1)
        block[16 + random(round % 2 === 0 ? 28 : block.length - 16)] = random(256);
      resealHeader(block);

      const { values = [], logLines = [] } = blockIn(block) ?? {};

      expect(values.length).toBeLessThanOrEqual(256);
      expect(logLines.join('').length).toBeLessThanOrEqual(4 * whole.length);
    }
  });

  it('names a value once', () => {
    const values = [1n, 2n, 3n].map((content) => ({ name: 'same', content }));

    expect(blockIn(aDeviceBlock({ values }))?.values).toEqual([
      { name: 'same', type: 'integer', value: '1' },
    ]);
  });

  it('costs little when a dump is full of whole blocks of another firmware', () => {
    const size = 1_650 * 16;
    const block = aDeviceBlock({ log: 'line\n'.repeat(4_000), logSize: 24_000 });
    const blocks = Buffer.alloc(size * 256);
    for (let at = 0; at < blocks.length; at += size) blocks.set(block, at);
    const memory = new DumpMemory([{ address: ADDRESS, bytes: blocks, executable: false }]);
    const spentMs = cpuClock();

    expect(findDeviceBlock(memory, '00ff')).toBeNull();
    expect(spentMs()).toBeLessThan(2_000);
  });

  it('costs little when a dump is full of its magic', () => {
    const magics = Buffer.alloc(1024 * 1024, Buffer.from('COREDOCK\x1ablock\r\n', 'latin1'));
    const spentMs = cpuClock();

    expect(readCrashDump({ core: aDumpWith(magics), elf: null }).report.deviceIdentity).toBeNull();
    expect(spentMs()).toBeLessThan(5_000);
  });
});

it('is read from a dump that the component’s own code has written on a RISC-V machine', () => {
  const core = readFileSync('test/fixtures/device/null-pointer.dmp');

  const { deviceIdentity, values, logLines, reason } = readCrashDump({ core, elf: null }).report;

  expect(reason).toBe('Load access fault at 0x00000004');
  expect(deviceIdentity).toMatchObject({ serial: '7cdfa1e5d3c8', bootCount: 3, resetReason: 'poweron' });
  expect(deviceIdentity?.elfSha256).toMatch(/^[0-9a-f]{64}$/);
  expect(values.map(({ name, value }) => `${name}=${value}`)).toEqual([
    'wifi_rssi=-61',
    'battery_v=3.71',
    'round=40',
    'state=reading',
  ]);
  expect(logLines).toHaveLength(19);
  expect(logLines[0]).toBe('I (123) sensor: round 23');
  expect(logLines.at(-1)).toBe('W (140) sensor: floor does not answer');
});
