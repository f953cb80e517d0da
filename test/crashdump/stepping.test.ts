import { describe, expect, it } from 'vitest';
import { replay, steppedPrograms } from '../accuracy/stepping.js';

describe('every instruction of small programs', () => {
  it.each(steppedPrograms())('shows the calls of %s that were made, and no other', (name) => {
    const { steps, wrong, namedMissing } = replay(name);

    expect(steps).toBeGreaterThan(200);
    expect(wrong).toEqual([]);
    expect(namedMissing).toEqual([]);
  });
});
