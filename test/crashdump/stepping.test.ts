import { describe, expect, it } from 'vitest';
import { replay, steppedPrograms } from '../accuracy/stepping.js';

/** What GDB misses too: a function that called another for ever, and kept its own return address nowhere. */
const LOST_FOR_EVER: Record<string, number> = { 'blob-save-restore': 18 };

describe('every instruction of small programs', () => {
  it.each(steppedPrograms())('shows the calls of %s that were made, and no other', (name) => {
    const { steps, wrong, namedMissing } = replay(name);

    expect(steps).toBeGreaterThan(200);
    expect(wrong).toEqual([]);
    expect(namedMissing.slice(LOST_FOR_EVER[name] ?? 0)).toEqual([]);
  });
});
