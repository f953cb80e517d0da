import { describe, expect, it } from 'vitest';
import { createSemaphore } from '../../src/platform/semaphore.js';

const staying = new AbortController().signal;

describe('slots', () => {
  it('lets in as many as there are slots, the rest in the order of their coming', async () => {
    const slots = createSemaphore(2, { maxWaiting: 10 });
    const inside: number[] = [];
    const giveBacks: Array<() => void> = [];
    const enter = async (number: number) => {
      const giveBack = await slots.acquireUnless(staying);
      if (typeof giveBack === 'string') throw new Error(giveBack);
      inside.push(number);
      giveBacks.push(giveBack);
    };

    const entering = [1, 2, 3, 4].map(enter);
    await Promise.all(entering.slice(0, 2));
    expect(inside).toEqual([1, 2]);

    giveBacks[1]?.();
    await entering[2];
    expect(inside).toEqual([1, 2, 3]);

    giveBacks[0]?.();
    await entering[3];
    expect(inside).toEqual([1, 2, 3, 4]);
  });

  it('turns away who comes when the line is full', async () => {
    const slots = createSemaphore(1, { maxWaiting: 1 });

    const first = await slots.acquireUnless(staying);
    const second = slots.acquireUnless(staying);

    expect(await slots.acquireUnless(staying)).toBe('full');
    if (typeof first === 'string') throw new Error(first);
    first();
    expect(await second).toBeTypeOf('function');
  });

  it('gives the place of one who leaves the line to the next', async () => {
    const slots = createSemaphore(1, { maxWaiting: 1 });
    const leaving = new AbortController();
    const holder = await slots.acquireUnless(staying);
    const left = slots.acquireUnless(leaving.signal);

    leaving.abort();
    const next = slots.acquireUnless(staying);

    expect(await left).toBe('left');
    if (typeof holder === 'string') throw new Error(holder);
    holder();
    expect(await next).toBeTypeOf('function');
    expect(await slots.acquireUnless(leaving.signal)).toBe('left');
  });

  it('is all free again when everybody has given back', async () => {
    const slots = createSemaphore(3, { maxWaiting: 3 });
    for (let round = 0; round < 3; round++) {
      const taken = await Promise.all([1, 2, 3].map(() => slots.acquireUnless(staying)));
      for (const giveBack of taken) {
        expect(giveBack).toBeTypeOf('function');
        if (typeof giveBack !== 'string') giveBack();
      }
    }
  });
});
