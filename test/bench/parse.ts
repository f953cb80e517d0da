import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as reader from '../../src/crashdump/index.js';
import { readCases, readFixtures, type Specimen } from '../fuzz/corpus.js';
import { quantile } from './load.js';
import type { Result } from './run.js';

const CLI = fileURLToPath(new URL('../../dist/coredock.cjs', import.meta.url));
const READER = new URL('../../dist/crashdump/index.js', import.meta.url).href;
const GDB = '/usr/bin/gdb-multiarch';
const COLD_RUNS = 15;
const NEW_ELF_RUNS = 15;
const WARM_RUNS = 300;

/**
 * One RISC-V dump (of a real device where the cases are, else our fixture) read in four ways: by a new process, by a
 * warm one with a new ELF and with a known one, and by Debian's GDB with the commands that esp-coredump gives it.
 * GDB alone is less than the peer does, whose Python comes on top: the ratios are lower bounds.
 */
export async function parse(): Promise<Result[]> {
  const specimen = readCases().find(({ name }) => name.includes('esp32c3')) ?? readFixtures()[0];
  if (specimen === undefined) throw new Error('there is no dump to read');
  const dir = await mkdtemp(join(tmpdir(), 'coredock-bench-'));
  try {
    const [core, elf] = [join(dir, 'core.dmp'), join(dir, 'firmware.elf')];
    await writeFile(core, specimen.core);
    await writeFile(elf, specimen.elf);
    const ours = [process.execPath, CLI, 'parse', '--core', core, '--elf', elf];
    const gdb = existsSync(GDB) ? await gdbCommand(dir, specimen, elf) : null;

    const runs: Array<{ ours: Run; gdb: Run | null }> = [];
    for (let round = 0; round < COLD_RUNS; round++) {
      runs.push({ gdb: gdb && (await measure(gdb)), ours: await measure(ours) });
    }
    const cold = middle(runs.map((run) => run.ours.ms));
    const memory = Math.max(...runs.map((run) => run.ours.peakMb));
    const { newElf, known } = await readWarm(specimen);
    const detail = `${specimen.name}: cold ${cold.toFixed(0)} ms, warm with a new ELF ${newElf.toFixed(1)} ms, known ELF ${known.toFixed(2)} ms; peak ${memory.toFixed(0)} MB`;
    const peers = runs.flatMap((run) => run.gdb ?? []);
    if (peers.length === 0) {
      return [
        {
          what: 'warm, known ELF: ms a dump (gdb-multiarch is not there to compare)',
          value: known,
          hold: '1 ms or so',
          holds: (ms) => ms < 2,
          detail,
        },
      ];
    }
    const peer = middle(peers.map(({ ms }) => ms));
    const peerMemory = Math.max(...peers.map(({ peakMb }) => peakMb));
    return [
      {
        what: 'GDB alone / warm reader, known ELF',
        value: peer / known,
        hold: '≥ 100',
        holds: (ratio) => ratio >= 100,
        detail: `${detail}; GDB alone ${peer.toFixed(0)} ms`,
      },
      {
        what: 'GDB alone / cold coredock parse',
        value: peer / cold,
        hold: '≥ 5 of esp-coredump',
        holds: (ratio) => ratio >= 5,
        detail: 'esp-coredump has its Python on top of GDB',
      },
      {
        what: 'peak memory: cold coredock parse / GDB alone',
        value: memory / peerMemory,
        hold: '< 1 of Python + GDB',
        holds: (ratio) => ratio < 1,
        detail: `${memory.toFixed(0)} against ${peerMemory.toFixed(0)} MB`,
      },
    ];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function readWarm({ core, elf }: Specimen): Promise<{ newElf: number; known: number }> {
  const { openFirmware, readCrashDump } = (await import(READER)) as typeof reader;
  const image = openFirmware(elf);
  const time = (count: number, work: () => void) =>
    middle(
      Array.from({ length: count }, () => {
        const startedAt = performance.now();
        work();
        return performance.now() - startedAt;
      }),
    );
  time(WARM_RUNS, () => readCrashDump({ core, elf: image }));
  return {
    known: time(WARM_RUNS, () => readCrashDump({ core, elf: image })),
    newElf: time(NEW_ELF_RUNS, () => readCrashDump({ core, elf: openFirmware(elf) })),
  };
}

/** GDB wants the bare ELF that the container holds. Its note needs no operating system: `set osabi none`. */
async function gdbCommand(dir: string, { core }: Specimen, elf: string): Promise<string[]> {
  const bare = join(dir, 'core.elf');
  await writeFile(bare, core.subarray(core.indexOf('\x7fELF', 0, 'latin1')));
  const commands = ['info threads', 'bt', 'info registers', 'thread apply all bt'];
  return [
    GDB,
    '-nx',
    '-batch',
    ...['set osabi none', `core-file ${bare}`, ...commands].flatMap((command) => ['-ex', command]),
    elf,
  ];
}

interface Run {
  ms: number;
  peakMb: number;
}

/** Wall time and peak resident memory of a command, the latter as Linux counted it when last looked at. */
async function measure([command = '', ...args]: readonly string[]): Promise<Run> {
  const startedAt = performance.now();
  const child = spawn(command, args, { stdio: 'ignore' });
  let peakMb = 0;
  const timer = setInterval(() => {
    void readFile(`/proc/${child.pid}/status`, 'utf8').then(
      (status) => {
        peakMb = Math.max(peakMb, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
      },
      () => {},
    );
  }, 5);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}`);
  return { ms: performance.now() - startedAt, peakMb };
}

function middle(values: readonly number[]): number {
  return quantile([...values], 0.5);
}
