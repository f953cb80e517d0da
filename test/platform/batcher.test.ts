import { describe, expect, it } from 'vitest';
import { createBatcher } from '../../src/platform/queue/batcher.js';

describe('batcher', () => {
  it('runs what arrives while a group runs as the next group', async () => {
    const groups: number[][] = [];
    let release = () => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const add = createBatcher<number, number>({
      maxItems: 10,
      async run(items) {
        groups.push([...items]);
        if (groups.length === 1) await first;
        return items.map((item) => item * 2);
      },
    });

    const one = add(1);
    await new Promise(setImmediate);
    const others = Promise.all([add(2), add(3), add(4)]);
    release();

    expect(await one).toBe(2);
    expect(await others).toEqual([4, 6, 8]);
    expect(groups).toEqual([[1], [2, 3, 4]]);
  });

  it('never exceeds its group size', async () => {
    const sizes: number[] = [];
    const add = createBatcher<number, number>({
      maxItems: 3,
      async run(items) {
        sizes.push(items.length);
        return items;
      },
    });

    await Promise.all(Array.from({ length: 10 }, (_, index) => add(index)));

    expect(Math.max(...sizes)).toBe(3);
  });

  it('works on so many groups at once, and no more', async () => {
    let running = 0;
    let most = 0;
    const add = createBatcher<number, number>({
      maxItems: 2,
      atOnce: 3,
      async run(items) {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return items;
      },
    });

    await Promise.all(Array.from({ length: 40 }, (_, index) => add(index)));

    expect(most).toBe(3);
  });

  it('gathers after a crowd, and where items come alone waits for nobody', async () => {
    const groups: number[][] = [];
    const add = createBatcher<number, number>({
      maxItems: 10,
      gatherMs: 200,
      async run(items) {
        groups.push([...items]);
        return items;
      },
    });

    await add(1);
    await Promise.all([add(2), add(3)]);
    const gathering = add(4);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([gathering, add(5)]);

    expect(groups).toEqual([[1], [2, 3], [4, 5]]);
  });

  it('does not let one bad item fail its neighbours', async () => {
    const add = createBatcher<number, number>({
      maxItems: 10,
      async run(items) {
        if (items.includes(13)) throw new Error('unlucky');
        return items;
      },
    });

    const results = await Promise.allSettled([add(1), add(13), add(2)]);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('answers each item when its time is over, in a group or before one, and goes on with the others', async () => {
    let release = () => {};
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    const groups: number[][] = [];
    const add = createBatcher<number, string>({
      maxItems: 10,
      late: () => 'late',
      async run(items, signal) {
        groups.push([...items]);
        if (groups.length === 1) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          throw signal.reason;
        }
        await stuck;
        return items.map(() => 'done');
      },
    });

    const first = Promise.all([add(1, 50), add(2, 60_000)]);
    await new Promise(setImmediate);
    const before = add(3, 20);
    expect(await before).toBe('late');
    await expect.poll(() => groups.length).toBe(2);
    release();

    expect(await first).toEqual(['late', 'done']);
    expect(groups).toEqual([[1, 2], [2]]);
  });
});
