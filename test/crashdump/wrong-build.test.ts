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
import { fixture } from '../support/fixtures.js';
import { aFirmware, aTask, binDump, CHIP, type CoreSpec, elfDump } from './builders.js';

const OURS = fixtureDumps();
const REAL = realDumps();
const hashless = ({ dump, elf }: Written) => withoutHash(dump, elf);

describe('the build of another dump', () => {
  it.each([
    ['ours', OURS],
    ['real ones', REAL],
  ])('never gives a name, nor tasks that have overflowed: %s', (_, all) => {
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

  it('is that of old esp32 builds too, where a word comes between', () => {
    const [real] = REAL.filter(({ name }) => name === 'esp32-bin-idf-v3.3');
    if (real === undefined) return;

    const { report } = readCrashDump({ core: real.dump, elf: null });

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
