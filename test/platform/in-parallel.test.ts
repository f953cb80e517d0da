import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inParallel } from '../../src/platform/queue/in-parallel.js';

const numbers = Array.from({ length: 40 }, (_, index) => index);

it('works on eight items at once, and on each once', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;

  await inParallel(numbers, async (number) => {
    most = Math.max(most, ++running);
    await pause(number % 5);
    running -= 1;
    done.push(number);
  });

  expect(most).toBe(8);
  expect(done.toSorted((a, b) => a - b)).toEqual(numbers);
});

it('throws the first error when all started work has ended, and starts no more', async () => {
  let ended = 0;
  const work = inParallel(numbers, async (number) => {
    await pause(number === 2 ? 0 : 20);
    ended += 1;
    if (number === 2 || number === 5) throw new Error(`item ${number}`);
  });

  await expect(work).rejects.toThrow('item 2');
  expect(ended).toBe(8);
});
