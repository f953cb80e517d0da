import { expect, test } from 'vitest';
import { remember } from '../../src/crashdump/remember.js';

test('what was found is not looked for again, also when nothing was there', () => {
  const asked: number[] = [];
  const find = remember(10, (key: number): string | null => {
    asked.push(key);
    return key === 1 ? null : String(key);
  });

  expect([find(1), find(2), find(1), find(2)]).toEqual([null, '2', null, '2']);
  expect(asked).toEqual([1, 2]);
});

test('a series of new keys is not kept for ever', () => {
  let asked = 0;
  const find = remember(3, (key: number) => {
    asked++;
    return key;
  });

  for (const key of [1, 2, 3, 4]) find(key);
  find(1);

  expect(asked).toBe(5);
});
