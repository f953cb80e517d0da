import { describe, expect, it } from 'vitest';
import { createKeyedMutex, createSemaphore } from '../../src/platform/semaphore.js';

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

describe('a keyed mutex', () => {
  it('runs the work of one key one after the other, also after a failure, and that of others beside it', async () => {
    const runExclusive = createKeyedMutex();
    const events: string[] = [];
    const work = (name: string) => async () => {
      events.push(`${name} begins`);
      await new Promise(setImmediate);
      events.push(`${name} ends`);
      if (name === 'a1') throw new Error('a1 failed');
    };

    const first = runExclusive('a', work('a1'));
    const others = [runExclusive('a', work('a2')), runExclusive('b', work('b1'))];

    await expect(first).rejects.toThrow('a1 failed');
    await Promise.all(others);
    expect(events.indexOf('a2 begins')).toBeGreaterThan(events.indexOf('a1 ends'));
    expect(events.indexOf('b1 begins')).toBeLessThan(events.indexOf('a1 ends'));
  });
});
