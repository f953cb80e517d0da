import type { Specimen } from '../fuzz/corpus.js';
import { ourReader, readerOf } from './built-reader.js';
import { quantile } from './load.js';
import type { Result } from './result.js';

const ROUNDS = 60;
/** Warm readings take less than a clock's tick and a collection of garbage. */
const KNOWN_AT_ONCE = 10;

/**
 * Our reader and that of an earlier build, in turns in one process, all dumps in a round: with a new ELF each time, and
 * with a known one. Ours may not be slower.
 * @param dist folder of the earlier program
 */
export async function compareWithEarlier(dist: string, specimens: readonly Specimen[]): Promise<Result[]> {
  const readers = { before: await readerOf(dist), ours: await ourReader() };
  const newElf = { before: [] as number[], ours: [] as number[] };
  const known = { before: [] as number[], ours: [] as number[] };
  const images = {
    before: specimens.map(({ elf }) => readers.before.openFirmware(elf)),
    ours: specimens.map(({ elf }) => readers.ours.openFirmware(elf)),
  };
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? (['before', 'ours'] as const) : (['ours', 'before'] as const);
    for (const name of order) {
      const { readCrashDump } = readers[name];
      newElf[name].push(
        time(() => {
          for (const { core, elf } of specimens) readCrashDump({ core, elf });
        }),
      );
      known[name].push(
        time(() => {
          for (let again = 0; again < KNOWN_AT_ONCE; again++)
            for (const [at, { core }] of specimens.entries())
              readCrashDump({ core, elf: images[name][at] ?? null });
        }) / KNOWN_AT_ONCE,
      );
    }
  }
  return [
    toResult(`${specimens.length} dumps, new ELFs: ours / the build before`, newElf),
    toResult(`${specimens.length} dumps, known ELFs: ours / the build before`, known),
  ];
}

function time(work: () => void): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}

function toResult(what: string, times: { before: readonly number[]; ours: readonly number[] }): Result {
  const [before, ours] = [times.before, times.ours].map((list) => quantile([...list], 0.5));
  return {
    what,
    value: (ours ?? 0) / (before ?? 1),
    hold: '≤ 1.05: no slower',
    holds: (ratio) => ratio <= 1.05,
    detail: `${ours?.toFixed(2)} against ${before?.toFixed(2)} ms`,
  };
}
