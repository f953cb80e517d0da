import { describe, expect, it } from 'vitest';
import { ARGUMENT_BUILDS, compareArguments } from '../../accuracy/arguments.js';

describe('arguments at every instruction of a program', () => {
  it.each(ARGUMENT_BUILDS)('are those that it passes, or unknown: %s', { timeout: 60_000 }, (build) => {
    const { tried, right, wrong, lost } = compareArguments(build);

    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(2_000);
    expect(right / tried).toBeGreaterThan(0.6);
    // GDB knows no more of GCC's programs. Of clang's it shows registers that happen to be unchanged.
    if (build.startsWith('gcc')) expect(lost).toEqual([]);
  });
});
