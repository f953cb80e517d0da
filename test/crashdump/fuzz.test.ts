import { describe, expect, test } from 'vitest';
import { readCases, readFixtures } from '../fuzz/corpus.js';
import { createExperiment } from '../fuzz/experiment.js';

/** The short form of `npm run fuzz`: the same runs every time, in this process. */
describe('broken dumps and firmwares', () => {
  test('end in a report or a refusal, 3,000 of our fixtures', () => {
    const run = createExperiment(readFixtures(), 1);
    const outcomes = Array.from({ length: 3_000 }, (_, number) => run(number));
    // Both ends are reached: mutations neither kill every dump nor leave all of them whole.
    expect(outcomes.filter((outcome) => outcome === 'report').length).toBeGreaterThan(300);
    expect(outcomes.filter((outcome) => outcome === 'refused').length).toBeGreaterThan(300);
  });

  test.skipIf(readCases().length === 0)('end in a report or a refusal, 300 of the real cases', () => {
    const run = createExperiment(readCases(), 2);
    const outcomes = Array.from({ length: 300 }, (_, number) => run(number));
    expect(outcomes).toContain('report');
    expect(outcomes).toContain('refused');
  });
});
