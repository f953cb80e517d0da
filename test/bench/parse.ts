import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCases, readFixtures, type Specimen } from '../fuzz/corpus.js';
import { buildLargeFirmware, hasCompiler } from '../support/large-firmware.js';
import { ourReader } from './built-reader.js';
import { findDebugger } from './debuggers.js';
import { earlierBuild } from './earlier-build.js';
import { compareWithEarlier } from './earlier-reader.js';
import { quantile } from './load.js';
import { measure, type Run } from './measure.js';
import type { Result } from './result.js';

const CLI = fileURLToPath(new URL('../../dist/coredock.cjs', import.meta.url));
const COLD_RUNS = 15;
const NEW_ELF_RUNS = 15;
const WARM_RUNS = 300;

/** Copies of generated components behind the gateway: the larger ELF has 30 MB, the other a quarter of them. */
const COPIES = [62, 250];

/**
 * RISC-V dumps (that of a real device where the cases are, one of our C++ fixtures, the same with large ELFs) read in
 * four ways: by a new process, by a warm one with a new ELF and with a known one, and by a debugger (see debuggers.ts),
 * in turns. With `BASELINE` also all our dumps and those of the cases by that build's reader, in turns with ours.
 */
export async function parse(): Promise<Result[]> {
  const real = readCases().filter(({ name }) => name.includes('esp32c3'));
  const own = readFixtures().filter(({ name }) => name === 'gateway-0.3.0-null-pointer.dmp');
  const results: Result[] = [];
  for (const specimen of [...real, ...own]) results.push(...(await measureSpecimen(specimen)).results);
  if (hasCompiler) results.push(...(await measureLarge()));
  else process.stderr.write('no gcc-riscv64-unknown-elf: large ELFs are left out\n');
  const earlier = earlierBuild();
  if ('missing' in earlier) process.stderr.write(`${earlier.missing}: no build to compare with\n`);
  else results.push(...(await compareWithEarlier(earlier.dist, [...readFixtures(), ...readCases()])));
  return results;
}

async function measureLarge(): Promise<Result[]> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-bench-'));
  try {
    const results: Result[] = [];
    const seen: { megabytes: number; newElf: number }[] = [];
    for (const copies of COPIES) {
      const { elf, dump } = await buildLargeFirmware(dir, copies);
      const megabytes = elf.length / 1024 / 1024;
      const name = `C++ ELF of ${megabytes.toFixed(0)} MB`;
      const measured = await measureSpecimen({ name, core: await dump('null-pointer'), elf });
      results.push(...measured.results);
      seen.push({ megabytes, newElf: measured.newElf });
    }
    const [small, large] = seen;
    if (small === undefined || large === undefined) return results;
    const growth = large.megabytes / small.megabytes;
    results.push({
      what: `new ELF, warm: growth of the time / growth of the ELF (${growth.toFixed(1)} times)`,
      value: large.newElf / small.newElf / growth,
      hold: '≤ 1.2: no worse than linear',
      holds: (ratio) => ratio <= 1.2,
      detail: `${small.newElf.toFixed(0)} and ${large.newElf.toFixed(0)} ms`,
    });
    return results;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measureSpecimen(specimen: Specimen): Promise<{ results: Result[]; newElf: number }> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-bench-'));
  try {
    const files = { core: join(dir, 'core.dmp'), elf: join(dir, 'firmware.elf') };
    await writeFile(files.core, specimen.core);
    await writeFile(files.elf, specimen.elf);
    const peer = await findDebugger(dir, files, specimen);
    const command = [process.execPath, CLI, 'parse', '--core', files.core, '--elf', files.elf];

    const ours: Run[] = [];
    const theirs: Run[] = [];
    for (let round = 0; round < COLD_RUNS; round++) {
      if (peer !== null) theirs.push(await measure(peer.command));
      ours.push(await measure(command));
    }
    const cold = summary(ours);
    const { newElf, known } = await readWarm(specimen);
    const detail =
      `cold ${cold.ms.toFixed(0)} ms, ${cold.peakMb.toFixed(0)} MB; ` +
      `warm with a new ELF ${newElf.toFixed(1)} ms, with a known one ${known.toFixed(2)} ms`;
    if (peer === null) {
      const results = [withoutPeer(specimen.name, known, `${detail}; no gdb-multiarch to compare with`)];
      return { results, newElf };
    }
    const { ms, peakMb } = summary(theirs);
    const whose = `${peer.name}: ${ms.toFixed(0)} ms, ${peakMb.toFixed(0)} MB`;
    const note = peer.isEspCoredump ? '' : ' (ESP_COREDUMP is not set: its Python would come on top)';
    const results: Result[] = [
      {
        what: `${specimen.name}: ${peer.name} / warm, known ELF`,
        value: ms / known,
        hold: '≥ 100',
        holds: (ratio) => ratio >= 100,
        detail: `${detail}; ${whose}${note}`,
      },
      {
        what: `${specimen.name}: ${peer.name} / cold coredock parse`,
        value: ms / cold.ms,
        hold: '≥ 5 of esp-coredump',
        holds: (ratio) => ratio >= 5,
        detail: `${ms.toFixed(0)} against ${cold.ms.toFixed(0)} ms${note}`,
      },
      {
        what: `${specimen.name}: peak memory, cold coredock parse / ${peer.name}`,
        value: cold.peakMb / peakMb,
        hold: '< 1 of esp-coredump',
        holds: (ratio) => ratio < 1,
        detail: `${cold.peakMb.toFixed(0)} against ${peakMb.toFixed(0)} MB${note}`,
      },
    ];
    return { results, newElf };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function withoutPeer(name: string, known: number, detail: string): Result {
  return {
    what: `${name}: warm, known ELF, ms a dump`,
    value: known,
    hold: '1 ms or so',
    holds: (ms) => ms < 2,
    detail,
  };
}

/** Median time; the highest of the peaks. */
function summary(runs: readonly Run[]): Run {
  return { ms: middle(runs.map(({ ms }) => ms)), peakMb: Math.max(...runs.map(({ peakMb }) => peakMb)) };
}

async function readWarm({ core, elf }: Specimen): Promise<{ newElf: number; known: number }> {
  const { openFirmware, readCrashDump } = await ourReader();
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

function middle(values: readonly number[]): number {
  return quantile([...values], 0.5);
}
