import { describe, expect, it } from 'vitest';
import { createRate } from '../../src/platform/rate-limiter.js';

function aRate(limit: number) {
  let time = 0;
  const rate = createRate({ limit, windowSeconds: 60, now: () => time });
  const pass = (ms: number) => {
    time += ms;
  };
  return { ...rate, pass };
}

describe('a rate', () => {
  it('grants so many in a window that begins with the first use, and all of them again when it has ended', () => {
    const { take, pass } = aRate(2);

    const first = [take('a'), take('a')];
    pass(59_999);
    const refused = take('a');
    pass(1);

    expect(first).toEqual([null, null]);
    expect(refused).toBe(1);
    expect(take('a')).toBeNull();
  });

  it('counts each key for itself', () => {
    const { take, pass, wait } = aRate(1);
    take('a');
    pass(30_000);
    take('b');
    pass(30_000);

    expect(take('a')).toBeNull();
    expect(take('b')).toBe(30_000);
    expect(wait('c')).toBeNull();
  });

  it('takes back what was given back, but makes no credit of it', () => {
    const { take, release, pass } = aRate(1);
    take('a');
    release('a');
    release('a');

    expect(take('a')).toBeNull();
    expect(take('a')).toBe(60_000);
    pass(60_000);
    release('a');
    expect(take('a')).toBeNull();
    expect(take('a')).toBe(60_000);
  });

  it('tells the wait without taking', () => {
    const { take, wait, pass } = aRate(1);

    expect([wait('a'), take('a')]).toEqual([null, null]);
    pass(1_000);
    expect(wait('a')).toBe(59_000);
  });
});
