import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCrashDump, toCoreElf } from '../../src/crashdump/index.js';
import { aTask, binDump, CHIP, type CoreSpec } from '../crashdump/builders.js';
import { uartLog } from '../crashdump/wrappings.js';
import { fixture } from '../support/fixtures.js';
import { run } from '../support/program.js';

const PROGRAM = 'gdb-multiarch';
const GDB = hasGdb();
const XTENSA = {
  machine: 'xtensa',
  tasks: [
    aTask({ tcb: 0x3ffb0000, pc: 0x400d1234, registers: { 0: 0x800d1111, 1: 0x3fc91f80, 2: 7 } }),
    aTask({
      tcb: 0x3ffb4000,
      name: 'other',
      stackStart: 0x3fc93000,
      stackTop: 0x3fc93f00,
      stackEnd: 0x3fc94000,
    }),
  ],
  exception: { exccause: 28, excvaddr: 16 },
  segments: [{ address: 0x3ffc0000, bytes: Buffer.from('segment!') }],
} satisfies CoreSpec;

describe('an ELF core for GDB', () => {
  it('is the ELF in the dump, without container and text around', () => {
    const dump = readFileSync(fixture('thermostat-1.0.0').dump('abort'));

    const elf = toCoreElf(dump);

    expect(dump.includes(Buffer.from(elf))).toBe(true);
    expect(toCoreElf(Buffer.from(uartLog(dump)))).toEqual(elf);
    expect(toCoreElf(elf)).toEqual(elf);
  });

  it.each(['BIN v1', 'BIN v2', 'BIN v2.1'] as const)('is made of a %s dump, and says the same', (version) => {
    const dump = binDump(XTENSA, version, CHIP.esp32);
    const before = readCrashDump({ core: dump, elf: null }).report;

    const after = readCrashDump({ core: toCoreElf(dump), elf: null }).report;

    // The peer lists registers that these dumps have not, as zeros.
    const plain = ({ tasks }: typeof before) => tasks.map(({ registers: _, ...task }) => task);
    expect(plain(after)).toEqual(plain(before));
    expect(after).toMatchObject({ chip: 'esp32', crashedTask: 'main', reason: before.reason });
    const value = (report: typeof before, name: string) =>
      report.registers.find((r) => r.name === name)?.value;
    for (const name of ['pc', 'a1', 'a2', 'ps', 'exccause', 'excvaddr'])
      expect([name, value(after, name)]).toEqual([name, value(before, name)]);
  });

  it('is repaired when the dump is cut', () => {
    const dump = readFileSync(fixture('thermostat-1.0.0').dump('abort'));
    const cut = dump.subarray(0, dump.length - 600);

    const whole = readCrashDump({ core: cut, elf: null }).report;
    const repaired = readCrashDump({ core: toCoreElf(cut), elf: null }).report;

    expect(repaired.tasks.map(({ frames }) => frames)).toEqual(whole.tasks.map(({ frames }) => frames));
    expect(repaired.warnings.map(({ code }) => code)).not.toContain('DUMP_CUT');
  });

  it.skipIf(!GDB).each(['abort', 'null-pointer', 'assert'] as const)(
    `has the backtraces of GDB${GDB ? '' : ' (skipped: no gdb-multiarch)'}: %s`,
    (crash) => {
      const { dump, elfPath } = fixture('thermostat-1.0.0');
      const out = join(mkdtempSync(join(tmpdir(), 'coredock-')), 'core.elf');
      const ours = readCrashDump({ core: readFileSync(dump(crash)), elf: readFileSync(elfPath) }).report;
      writeFileSync(out, toCoreElf(readFileSync(dump(crash))));

      const text = execFileSync(
        PROGRAM,
        [
          '-nx',
          '-batch',
          '-ex',
          'set osabi none',
          '-ex',
          `core-file ${out}`,
          '-ex',
          'thread apply all bt',
          elfPath,
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      );

      const threads = text.split(/^Thread \d+ /m).slice(1);
      expect(threads).toHaveLength(ours.tasks.length);
      const functions = threads.map((thread) =>
        [...thread.matchAll(/^#\d+ +(?:0x\w+ in )?(\S+) \(/gm)].map(([, name]) => name),
      );
      for (const { frames } of ours.tasks)
        expect(functions).toContainEqual(frames.map((frame) => frame.function));
    },
  );
});

describe('coredock core', () => {
  it('writes the core and says how to open it; warns of another build', async () => {
    const { dump, elfPath } = fixture('thermostat-1.0.0');
    const out = join(mkdtempSync(join(tmpdir(), 'coredock-')), 'core.elf');

    const right = await run(['core', '--core', dump('abort'), '--elf', elfPath, '--out', out]);
    const other = await run([
      'core',
      '--core',
      dump('abort'),
      '--elf',
      fixture('thermostat-1.1.0').elfPath,
      '--out',
      out,
    ]);

    expect(right).toMatchObject({ code: 0, stderr: '', stdout: `gdb ${elfPath} ${out}\n` });
    expect(readFileSync(out)).toEqual(Buffer.from(toCoreElf(readFileSync(dump('abort')))));
    expect(other.stderr).toMatch(/^coredock core: .*not the one that crashed/);
  });

  it('never writes over the dump or the firmware', async () => {
    const { dump, elfPath } = fixture('thermostat-1.0.0');
    const dir = mkdtempSync(join(tmpdir(), 'coredock-'));
    const [core, elf, link] = ['dump.bin', 'app.elf', 'link.elf'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ];
    copyFileSync(dump('abort'), core);
    copyFileSync(elfPath, elf);
    symlinkSync(core, link);

    for (const out of [core, elf, link]) {
      const { code, stderr } = await run(['core', '--core', core, '--elf', elf, '--out', out]);
      expect([code, stderr]).toEqual([1, `coredock core: --out ${out} is an input; name another file\n`]);
    }
    expect(readFileSync(core)).toEqual(readFileSync(dump('abort')));
    expect(readFileSync(elf)).toEqual(readFileSync(elfPath));
  });

  it('ends with 1 and one line when a file cannot be read or written', async () => {
    const { dump, elfPath } = fixture('thermostat-1.0.0');

    for (const [core, out] of [
      ['/none', '/tmp/x.elf'],
      [elfPath, '/tmp/x.elf'],
      [dump('abort'), '/none/x.elf'],
    ] as const) {
      const { code, stdout, stderr } = await run(['core', '--core', core, '--out', out]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^coredock core: .+\n$/);
    }
    expect((await run(['core', '--core', dump('abort')])).code).toBe(2);
  });
});

function hasGdb(): boolean {
  try {
    execFileSync(PROGRAM, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
