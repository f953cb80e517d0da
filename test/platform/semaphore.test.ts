import { describe, expect, it } from 'vitest';
import { createSemaphore } from '../../src/platform/semaphore.js';

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
