import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callsOfEveryWay, type TailCall } from '../../../src/crashdump/dwarf/tail-call-chains.js';
import { COMPILERS, walkAtRandom } from '../../accuracy/tail-calls.js';

type Call = TailCall<number>;

/** Numbers each call; `edges` are pairs of entries. */
function graphOf(edges: readonly (readonly [number, number])[]) {
  const calls = edges.map(([from, to], site): Call => ({ site, from, to }));
  return (entry: number) => calls.filter(({ from }) => from === entry);
}

/** Every way of at most `length` calls, by trying all. */
function waysOf(from: number, to: number, callsOf: (entry: number) => Call[], length: number): number[][] {
  if (from === to) return [[]];
  if (length === 0) return [];
  return callsOf(from).flatMap((call) =>
    waysOf(call.to, to, callsOf, length - 1).map((way) => [call.site, ...way]),
  );
}

function isPartOf(shown: readonly number[], way: readonly number[]): boolean {
  let at = 0;
  for (const site of way) if (shown[at] === site) at += 1;
  return at === shown.length;
}

describe('the tail calls that every way has', () => {
  it.each<[string, [number, number][], number[]]>([
    [
      'a chain',
      [
        [0, 1],
        [1, 2],
        [2, 9],
      ],
      [0, 1, 2],
    ],
    [
      'two arms of the same length',
      [
        [0, 1],
        [0, 2],
        [1, 3],
        [2, 3],
        [3, 9],
      ],
      [4],
    ],
    [
      'an arm and a short cut',
      [
        [0, 1],
        [1, 9],
        [0, 9],
      ],
      [],
    ],
    [
      'two calls of one function',
      [
        [0, 1],
        [0, 1],
        [1, 9],
      ],
      [2],
    ],
    [
      'a beginning, two arms, an end',
      [
        [0, 1],
        [1, 2],
        [1, 3],
        [2, 4],
        [3, 4],
        [4, 9],
      ],
      [0, 5],
    ],
    [
      'an arm that leads nowhere',
      [
        [0, 1],
        [0, 5],
        [5, 6],
        [1, 9],
      ],
      [0, 3],
    ],
    [
      'a circle on the way',
      [
        [0, 1],
        [1, 0],
        [1, 9],
      ],
      [0, 2],
    ],
    [
      'a circle at the beginning',
      [
        [0, 0],
        [0, 9],
      ],
      [1],
    ],
    ['no way', [[0, 1]], []],
  ])('of %s', (_, edges, sites) => {
    expect(callsOfEveryWay(0, 9, graphOf(edges), 100)).toEqual(sites);
  });

  it('are on each way that is tried, and all of it when it is the only one', () => {
    const entry = fc.nat(6);
    fc.assert(
      fc.property(fc.array(fc.tuple(entry, entry), { maxLength: 12 }), entry, entry, (edges, from, to) => {
        const shown = callsOfEveryWay(from, to, graphOf(edges), 100) ?? [];
        const ways = waysOf(from, to, graphOf(edges), 7);
        for (const way of ways) expect(isPartOf(shown, way), `${shown} of ${way}`).toBe(true);
        if (ways.length === 1) expect(isPartOf(shown, ways[0] ?? [])).toBe(true);
        if (ways.length === 0) expect(shown).toEqual([]);
        const isAcyclic = edges.every(([a, b]) => a < b);
        if (ways.length === 1 && isAcyclic) expect(shown).toEqual(ways[0]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('are found without trying every way, of which there may be 2 ** 200', () => {
    const ladder = Array.from({ length: 200 }, (_, step): [number, number][] => [
      [step * 3, step * 3 + 1],
      [step * 3, step * 3 + 2],
      [step * 3 + 1, step * 3 + 3],
      [step * 3 + 2, step * 3 + 3],
    ]).flat();

    expect(callsOfEveryWay(0, 600, graphOf([...ladder]), 1_000)).toEqual([]);
  });

  it('are unknown when there are too many calls to look at', () => {
    const chain = Array.from({ length: 200 }, (_, step): [number, number] => [step, step + 1]);

    expect(callsOfEveryWay(0, 200, graphOf(chain), 200)).toHaveLength(200);
    expect(callsOfEveryWay(0, 200, graphOf(chain), 199)).toBeNull();
  });
});

describe('a program of random tail calls', () => {
  it.each(COMPILERS)('shows no function that was not passed, by %s', { timeout: 60_000 }, (compiler) => {
    const { tried, whole, lost, invented } = walkAtRandom(compiler, 10_000);

    expect(tried).toBe(10_000);
    expect(invented).toEqual([]);
    expect(lost).toEqual([]);
    expect(whole).toBeGreaterThan(5_000);
  });

  it('shows nothing when the compiler does not say that it described all tail calls', () => {
    // DW_AT_call_all_calls, DW_FORM_flag_present: becomes an attribute that says nothing.
    const silence = (elf: Buffer) => {
      for (let at = elf.indexOf('7a19', 'hex'); at >= 0; at = elf.indexOf('7a19', at + 1, 'hex'))
        elf[at] = 0x3f;
    };

    expect(walkAtRandom('gcc', 1_000).frames).toBeGreaterThan(500);
    expect(walkAtRandom('gcc', 1_000, silence).frames).toBe(0);
  });
});
