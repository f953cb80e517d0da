import { describe, expect, it } from 'vitest';
import { createKeyedMutex, createSemaphore } from '../../src/platform/semaphore.js';

const staying = new AbortController().signal;

describe('the semaphore', () => {
  it('gives out as many permits as there are, the rest in the order of the requests', async () => {
    const semaphore = createSemaphore(2, { maxWaiting: 10 });
    const inside: number[] = [];
    const releases: Array<() => void> = [];
    const enter = async (number: number) => {
      const release = await semaphore.acquireUnless(staying);
      if (typeof release === 'string') throw new Error(release);
      inside.push(number);
      releases.push(release);
    };

    const entering = [1, 2, 3, 4].map(enter);
    await Promise.all(entering.slice(0, 2));
    expect(inside).toEqual([1, 2]);

    releases[1]?.();
    await entering[2];
    expect(inside).toEqual([1, 2, 3]);

    releases[0]?.();
    await entering[3];
    expect(inside).toEqual([1, 2, 3, 4]);
  });

  it('refuses a permit when the queue is full', async () => {
    const semaphore = createSemaphore(1, { maxWaiting: 1 });

    const first = await semaphore.acquireUnless(staying);
    const second = semaphore.acquireUnless(staying);

    expect(await semaphore.acquireUnless(staying)).toBe('full');
    if (typeof first === 'string') throw new Error(first);
    first();
    expect(await second).toBeTypeOf('function');
  });

  it('gives the place of an aborted request in the queue to the next one', async () => {
    const semaphore = createSemaphore(1, { maxWaiting: 1 });
    const leaving = new AbortController();
    const holder = await semaphore.acquireUnless(staying);
    const left = semaphore.acquireUnless(leaving.signal);

    leaving.abort();
    const next = semaphore.acquireUnless(staying);

    expect(await left).toBe('left');
    if (typeof holder === 'string') throw new Error(holder);
    holder();
    expect(await next).toBeTypeOf('function');
    expect(await semaphore.acquireUnless(leaving.signal)).toBe('left');
  });

  it('has all permits again when every holder has released its own', async () => {
    const semaphore = createSemaphore(3, { maxWaiting: 3 });
    for (let round = 0; round < 3; round++) {
      const taken = await Promise.all([1, 2, 3].map(() => semaphore.acquireUnless(staying)));
      for (const release of taken) {
        expect(release).toBeTypeOf('function');
        if (typeof release !== 'string') release();
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
