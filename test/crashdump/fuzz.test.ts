import { describe, expect, test } from 'vitest';
import { readCases, readFixtures, readPanics } from '../fuzz/corpus.js';
import { createExperiment } from '../fuzz/experiment.js';
import { SEARCHED } from '../support/real-cases.js';

/** A million takes some hours. */
const TEXT_RUNS = Number(process.env.PANIC_TEXT_RUNS ?? 1_500);

/** The short form of `npm run fuzz`: the same runs every time, in this process. */
describe('broken dumps and firmwares', () => {
  test('end in a report or a refusal, 3,000 of our fixtures', { timeout: 120_000 }, () => {
    const run = createExperiment(readFixtures(), 1);
    const outcomes = Array.from({ length: 3_000 }, (_, number) => run(number));
    // Both ends are reached: mutations neither kill every dump nor leave all of them whole.
    expect(outcomes.filter((outcome) => outcome === 'report').length).toBeGreaterThan(300);
    expect(outcomes.filter((outcome) => outcome === 'refused').length).toBeGreaterThan(300);
  });

  test('and texts of crashes are never taken for a core dump', { timeout: 120_000 }, () => {
    const run = createExperiment(readPanics(), 3);
    const outcomes = Array.from({ length: TEXT_RUNS }, (_, number) => run(number));
    expect(outcomes.filter((outcome) => outcome === 'report')).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === 'text').length).toBeGreaterThan(TEXT_RUNS / 2);
  });

  const cases = readCases();
  const skipped = cases.length === 0 ? ` (skipped: none with a firmware.elf in ${SEARCHED})` : '';

  test.skipIf(cases.length === 0)(
    `end in a report or a refusal, 300 of the real cases${skipped}`,
    { timeout: 120_000 },
    () => {
      const run = createExperiment(cases, 2);
      const outcomes = Array.from({ length: 300 }, (_, number) => run(number));
      expect(outcomes).toContain('report');
      expect(outcomes).toContain('refused');
    },
  );
});
