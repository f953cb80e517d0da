import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFirmware, readCrashDump } from '../../src/crashdump/index.js';
import {
  crossed,
  fixtureDumps,
  outcomeOf,
  realDumps,
  rebuilt,
  type Written,
  withoutHash,
} from '../accuracy/wrong-build.js';
import { cpuClock } from '../support/cpu-clock.js';
import { fixture } from '../support/fixtures.js';
import { SEARCHED } from '../support/real-cases.js';
import { aFirmware, aTask, binDump, CHIP, type CoreSpec, cfiRow, elfDump } from './builders.js';

const OURS = fixtureDumps();
const REAL = realDumps();
const hashless = ({ dump, elf }: Written) => withoutHash(dump, elf);

describe('the build of another dump', () => {
  it.each([
    ['ours', OURS],
    ['real ones', REAL],
  ])('never gives a name, nor tasks that have overflowed: %s', { timeout: 120_000 }, (_, all) => {
    const outcomes = [...crossed(all, ({ dump }) => dump), ...crossed(all, hashless)];

    expect(outcomes.filter((outcome) => outcome !== 'left aside')).toEqual([]);
    if (all === OURS) expect(outcomes.length).toBeGreaterThan(200);
  });

  it('is left aside with a warning that counts, and the tasks keep their names', () => {
    const { dump } = aWritten('thermostat-1.1.0, null-pointer');
    const other = openFirmware(readFileSync(fixture('thermostat-1.1.0-b').elfPath));

    const { report } = readCrashDump({ core: dump, elf: other });

    expect(report).toMatchObject({ elfMatch: 'differs', usesElf: false, elfEvidence: null });
    expect(report.warnings).toEqual([
      {
        code: 'FIRMWARE_DIFFERS',
        message: expect.stringMatching(/\d+ of \d+ return addresses fit\), so it was not used\.$/),
      },
    ]);
    expect(report.tasks.map(({ name }) => name)).toEqual(['sensor', 'IDLE', 'main', 'network']);
    expect(report.tasks.every(({ stackFree, priority }) => stackFree !== null && priority !== null)).toBe(
      true,
    );
  });

  it('is said not to fit when the dump names none', () => {
    const written = aWritten('thermostat-1.1.0, null-pointer');
    const other = openFirmware(readFileSync(fixture('thermostat-1.1.0-b').elfPath));

    const { report } = readCrashDump({ core: hashless(written), elf: other });

    expect(report).toMatchObject({ elfMatch: 'unknown', usesElf: false });
    expect(report.warnings.map(({ code }) => code)).toContain('FIRMWARE_DOES_NOT_FIT');
  });
});

describe('a build with the same code', () => {
  const all = [...OURS, ...REAL];

  it.each(all.map((written) => [written.name, written] as const))('gives the names: %s', (_, written) => {
    expect(outcomeOf(written, written.dump, openFirmware(rebuilt(written.elf)))).toBe('right');
    expect(outcomeOf(written, hashless(written), openFirmware(written.elf))).toBe('right');
  });

  it('is used with its evidence', () => {
    const { dump, elf } = aWritten('thermostat-1.0.0, abort');

    const { report } = readCrashDump({ core: dump, elf: rebuilt(elf) });

    expect(report).toMatchObject({ elfMatch: 'differs', elfMatches: false, usesElf: true });
    expect(report.elfEvidence).toMatch(
      /^The dump names another firmware; .* (\d+) of \1 return addresses fit\.$/,
    );
    expect(report.warnings).toEqual([
      { code: 'FIRMWARE_DIFFERS', message: expect.stringContaining('It has the same code') },
    ]);
    expect(report.fingerprint).toBe(readCrashDump({ core: dump, elf }).report.fingerprint);
  });
});

describe('a build for another chip', () => {
  const core: CoreSpec = { machine: 'riscv', tasks: [aTask()] };
  const symbols = [{ name: 'sensor_read', address: 0x42000000, size: 0x100 }];
  const read = (spec: CoreSpec, chips: string[]) =>
    readCrashDump({
      core: elfDump(spec, 'ELF SHA256 v2.1', CHIP.esp32c3),
      elf: aFirmware({ symbols, chips }),
    }).report;

  it('is never used, with a warning that names both', () => {
    const found = read(core, ['esp32c6', 'esp32h2']);

    expect(found.tasks[0]?.frames[0]?.function).toBeNull();
    expect(found.usesElf).toBe(false);
    expect(found.warnings).toEqual([
      {
        code: 'FIRMWARE_FOR_OTHER_CHIP',
        message:
          'The firmware ELF is for esp32c6 or esp32h2, the dump comes from esp32c3; the ELF was not used.',
      },
    ]);
  });

  it('is one whose hash is that of the dump only by mistake of the chip', () => {
    const found = read({ ...core, appElfSha256: 'ababababa' }, ['esp32c2']);

    expect(found).toMatchObject({ elfMatch: 'matches', usesElf: true, warnings: [] });
    expect(found.tasks[0]?.frames[0]?.function).toBe('sensor_read');
  });

  it('may be one of several', () => {
    expect(read(core, ['esp32c2', 'esp32c3']).tasks[0]?.frames[0]?.function).toBe('sensor_read');
  });
});

describe('a hostile build', () => {
  it('keeps the reader busy for no longer than its budget', () => {
    // Functions that jump to each other everywhere, and a stack that goes on for ever.
    const code = Buffer.alloc(0x40000);
    for (let at = 0; at < code.length; at += 4)
      code.writeUInt32LE(at % 8 === 0 ? 0x0040006f : 0x000080e7, at);
    const symbols = Array.from({ length: 2048 }, (_, index) => ({
      name: `f${index}`,
      address: 0x42000000 + index * 128,
      size: 0x10000,
    }));
    const cfi = Object.fromEntries(symbols.map(({ name }) => [name, cfiRow(16, 'saved')]));
    const stack = Object.fromEntries(
      Array.from({ length: 64 }, (_, index) => [0x3fc91fac + index * 16 - 0xa0, 0x42000008 + index * 136]),
    );
    const flags = { alloc: true, write: false, exec: true, processorSpecific: false };
    const elf = aFirmware({
      symbols,
      cfi,
      code: [{ address: 0x42000000, bytes: code }],
      sections: [{ name: '.flash.text', address: 0x42000000, size: code.length, kind: 'progbits', flags }],
    });
    const tasks = Array.from({ length: 200 }, (_, index) =>
      aTask({ tcb: 0x3fd00000 + index * 0x1000, stack, stackEnd: 0x3fc92800, registers: { 2: 0x3fc91f00 } }),
    );
    const core = elfDump(
      { machine: 'riscv', tasks, appElfSha256: 'cdcdcdcdc' },
      'ELF SHA256 v2.1',
      CHIP.esp32c3,
    );

    const spentMs = cpuClock();
    readCrashDump({ core, elf });

    expect(spentMs()).toBeLessThan(5_000);
  });
});

describe('the layout of tasks', () => {
  const core: CoreSpec = {
    machine: 'riscv',
    tasks: [aTask({ stateList: 0x3fc80000 })],
    appElfSha256: 'cdcdcdcdc',
  };
  const read = (spec: CoreSpec, members: Record<string, { offset: number; size: number }>) =>
    readCrashDump({
      core: elfDump(spec, 'ELF SHA256 v2.1', CHIP.esp32c3),
      elf: aFirmware({ members }),
    }).report.tasks[0];

  it('of another build is used only where the tasks look like it', () => {
    const wrong = { pcTaskName: { offset: 80, size: 16 }, xStateListItem: { offset: 8, size: 20 } };
    const right = { pcTaskName: { offset: 52, size: 16 }, pxEndOfStack: { offset: 100, size: 4 } };

    expect(read(core, wrong)).toMatchObject({ name: 'main', priority: 1, stackFree: 0xf00 });
    // The word at 100 is no end of this stack.
    expect(read(core, right)).toMatchObject({ name: 'main', stackUsed: 0x100, stackOverflow: null });
  });

  it('gives nothing for a task that looks like no task', () => {
    const other = aTask({ tcb: 0x3fc9a000, stackTop: 0x3fc9b000, stackEnd: 0x3fc9b100 });
    const bytes = elfDump(
      { ...core, tasks: [aTask(), aTask({ ...other, name: '' })] },
      'ELF SHA256 v2.1',
      CHIP.esp32c3,
    );
    const broken = Buffer.from(bytes);
    // Every pointer to the second task's control block but its thread id and its segment.
    const owner = Buffer.alloc(4);
    owner.writeUInt32LE(0x3fc9a000);
    const places: number[] = [];
    for (let at = broken.indexOf(owner); at >= 0; at = broken.indexOf(owner, at + 1)) places.push(at);
    for (const at of places.slice(-2)) broken.fill(0xff, at, at + 4);

    const { tasks } = readCrashDump({ core: broken, elf: null }).report;

    expect(tasks[0]?.name).toBe('main');
    expect(tasks[1]).toMatchObject({ name: '', priority: null, stackFree: null, stackOverflow: null });
  });

  const old = REAL.find(({ name }) => name === 'esp32-bin-idf-v3.3')?.dump;
  const skipped = old ? '' : ` (skipped: no esp32-bin-idf-v3.3 in ${SEARCHED})`;
  it.skipIf(!old)(`is that of old esp32 builds too, where a word comes between${skipped}`, () => {
    const { report } = readCrashDump({ core: old ?? new Uint8Array(), elf: null });

    expect(report.tasks.map(({ name }) => name)).toContain('unityTask');
  });

  it('is the same for a BIN dump without a build', () => {
    const bin = binDump({ ...core, machine: 'xtensa' }, 'BIN v1', CHIP.esp32);

    expect(readCrashDump({ core: bin, elf: null }).report.tasks[0]).toMatchObject({
      name: 'main',
      priority: 1,
    });
  });
});

function aWritten(name: string): Written {
  const written = OURS.find((candidate) => candidate.name === name);
  if (written === undefined) throw new Error(`no dump ${name}`);
  return written;
}
