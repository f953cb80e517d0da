import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { page } from '../../src/graphql/schema/pages.js';
import type { PageWindow } from '../../src/platform/database/children.js';

/** What a list over `ids` answers, as the database would: newest (highest) first. */
function listOf(ids: () => number[]) {
  return async ({ take, beforeId = Number.POSITIVE_INFINITY, afterId = 0, fromEnd = false }: PageWindow) => {
    const inside = ids()
      .filter((id) => id < beforeId && id > afterId)
      .sort((a, b) => b - a);
    return (fromEnd ? inside.slice(-take) : inside.slice(0, take)).map((id) => ({ id }));
  };
}

describe('a page', () => {
  it('shows every row that stays exactly once, whatever comes and goes between pages', async () => {
    const scenario = fc.record({
      stay: fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { maxLength: 60 }),
      comeAndGo: fc.array(fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 20 }), {
        minLength: 1,
        maxLength: 8,
      }),
      first: fc.integer({ min: 1, max: 17 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ stay, comeAndGo, first }) => {
        const seen: number[] = [];
        let after: string | null = null;
        for (let turn = 0; ; turn++) {
          const visiting = comeAndGo[turn % comeAndGo.length] ?? [];
          const list = listOf(() => [...new Set([...stay, ...visiting])]);
          const answer: Awaited<ReturnType<typeof page>> = await page({ first, after }, list, () => 0);
          seen.push(...answer.edges.map(({ node }) => node.id));
          after = answer.pageInfo.endCursor;
          if (!answer.pageInfo.hasNextPage) break;
        }

        expect(seen).toEqual([...new Set(seen)].sort((a, b) => b - a));
        expect(stay.filter((id) => !seen.includes(id))).toEqual([]);
      }),
    );
  });

  it('goes backwards too', async () => {
    const list = listOf(() => [1, 2, 3, 4, 5]);

    const last = await page({ last: 2 }, list, () => 5);
    const before = await page({ last: 2, before: last.pageInfo.startCursor }, list, () => 5);

    expect(last.edges.map(({ node }) => node.id)).toEqual([2, 1]);
    expect(before.edges.map(({ node }) => node.id)).toEqual([4, 3]);
    expect(before.pageInfo.hasPreviousPage).toBe(true);
  });

  it.each([
    [{ first: 201 }, 'at most 200'],
    [{ first: 1e9 }, 'at most 200'],
    [{ first: -1 }, '-1'],
    [{ first: 1, last: 1 }, 'not both'],
    [{ after: 'garbage' }, 'not a cursor'],
    [{ before: Buffer.from('id:x').toString('base64') }, 'not a cursor'],
  ])('refuses %j before it asks anything', async (args, message) => {
    const list = () => Promise.reject(new Error('asked'));

    await expect(page(args, list, () => 0)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining(message),
    });
  });
});
