import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aSteppedFleet, crashStep, takeStep } from '../support/crash-steps.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const BREAKDOWN = graphql(`
  query Breakdown($by: CrashDimension!, $unit: TimeUnit!, $from: DateTime, $to: DateTime, $filter: CrashFilter, $first: Int, $id: ID!) {
    crashBreakdown(by: $by, unit: $unit, from: $from, to: $to, filter: $filter, first: $first) { ...BrokenDown }
    crashGroup(id: $id) {
      crashBreakdown(by: $by, unit: $unit, from: $from, to: $to, filter: $filter, first: $first) { ...BrokenDown }
    }
  }
  fragment BrokenDown on CrashSeries { key firmwareVersion model { code } isRest count buckets { start count } }
`);
const ALL_CRASHES = graphql(`
  query AllCrashes($filter: CrashFilter) {
    crashes(unit: DAY, filter: $filter) { count }
    crashBreakdown(by: FIRMWARE_VERSION, unit: DAY, filter: $filter, first: 2) { key isRest count buckets { count } }
    byModel: crashBreakdown(by: MODEL, unit: DAY, filter: $filter, first: 1) { key isRest count buckets { count } }
    crashGroups(first: 100) {
      nodes {
        id crashes(unit: DAY, filter: $filter) { count }
        crashBreakdown(by: FIRMWARE_VERSION, unit: DAY, filter: $filter, first: 1) { buckets { count } }
      }
    }
  }
`);

const DAYS = { unit: 'DAY' as const, from: '2026-02-01T00:00:00Z', to: '2026-02-03T00:00:00Z' };

/** Five crashes of two days in three versions and two models; all but one of them in one group. */
async function aFleetOfVersions(endpoint: GraphQLEndpoint) {
  const lamp = await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'lamp' }));
  const oven = await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'oven' }));
  const [first, second] = [new Date('2026-02-01T10:00:00Z'), new Date('2026-02-02T10:00:00Z')];
  const { groupId } = await aCrash(endpoint, lamp, { version: '1.0.0', at: first });
  await aCrash(endpoint, lamp, { version: '1.1.0', at: first });
  await aCrash(endpoint, oven, { version: '1.1.0', at: second });
  await aCrash(endpoint, oven, { version: '1.2.0', at: second });
  await aCrash(endpoint, oven, { version: '1.1.0', at: second, place: 'elsewhere' });
  return { id: groupId };
}

const short = (
  series: ReadonlyArray<{ key?: string | null; isRest: boolean; buckets: Array<{ count: number }> }> = [],
) => series.map(({ key, isRest, buckets }) => [isRest ? 'rest' : key, ...buckets.map(({ count }) => count)]);

describe('crashes broken down', () => {
  it('have a series for each version, the most crashes first, and one for the rest', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id } = await aFleetOfVersions(endpoint);

    const whole = await endpoint.ask(BREAKDOWN, { ...DAYS, by: 'FIRMWARE_VERSION', id });
    expect(whole.crashBreakdown[0]).toEqual({
      ...{ key: '1.1.0', firmwareVersion: '1.1.0', model: null, isRest: false, count: 3 },
      buckets: [
        { start: '2026-02-01T00:00:00.000Z', count: 1 },
        { start: '2026-02-02T00:00:00.000Z', count: 2 },
      ],
    });
    expect(short(whole.crashBreakdown)).toEqual([
      ['1.1.0', 1, 2],
      ['1.0.0', 1, 0],
      ['1.2.0', 0, 1],
    ]);
    expect(short(whole.crashGroup?.crashBreakdown)).toEqual([
      ['1.1.0', 1, 1],
      ['1.0.0', 1, 0],
      ['1.2.0', 0, 1],
    ]);

    const most = await endpoint.ask(BREAKDOWN, { ...DAYS, by: 'FIRMWARE_VERSION', first: 1, id });
    expect(most.crashBreakdown.at(-1)).toMatchObject({
      key: null,
      model: null,
      firmwareVersion: null,
      count: 2,
    });
    expect(short(most.crashBreakdown)).toEqual([
      ['1.1.0', 1, 2],
      ['rest', 1, 1],
    ]);
    expect(short(most.crashGroup?.crashBreakdown)).toEqual([
      ['1.1.0', 1, 1],
      ['rest', 1, 1],
    ]);
  });

  it.each([
    [
      {},
      [
        ['oven', 0, 3],
        ['lamp', 2, 0],
      ],
      [
        ['lamp', 2, 0],
        ['oven', 0, 2],
      ],
    ],
    [
      { firmwareVersion: ['1.1.0'] },
      [
        ['oven', 0, 2],
        ['lamp', 1, 0],
      ],
      [
        ['lamp', 1, 0],
        ['oven', 0, 1],
      ],
    ],
    [{ modelCode: ['lamp'] }, [['lamp', 2, 0]], [['lamp', 2, 0]]],
    [{ modelCode: [] }, [], []],
  ])('by model, filtered by %j', async (filter, ofFleet, ofGroup) => {
    const endpoint = await aGraphQLEndpoint();
    const { id } = await aFleetOfVersions(endpoint);

    const { crashBreakdown, crashGroup } = await endpoint.ask(BREAKDOWN, {
      ...DAYS,
      by: 'MODEL',
      filter,
      id,
    });

    expect(short(crashBreakdown)).toEqual(ofFleet);
    expect(short(crashGroup?.crashBreakdown)).toEqual(ofGroup);
    expect(crashBreakdown.map(({ model }) => model?.code)).toEqual(ofFleet.map(([code]) => code));
  });

  it('are of hours too, and without a series where nothing crashed', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id } = await aFleetOfVersions(endpoint);
    const [from, to] = ['2026-02-01T09:00:00Z', '2026-02-01T12:00:00Z'];

    const hours = await endpoint.ask(BREAKDOWN, { unit: 'HOUR', by: 'MODEL', from, to, id });

    expect(short(hours.crashBreakdown)).toEqual([['lamp', 0, 2, 0]]);
  });

  it('refuse more series than a chart can show', async () => {
    const endpoint = await aGraphQLEndpoint();
    for (const first of [0, 51]) {
      const { errors } = await endpoint.send(
        `{ crashBreakdown(by: MODEL, unit: DAY, first: ${first}) { count } }`,
      );
      expect(errors[0]).toMatchObject({ message: '"first" is from 1 to 50.' });
    }
  });

  it('add up to the crashes themselves, whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(crashStep, { minLength: 12, maxLength: 20 }), async (steps) => {
        const endpoint = await aGraphQLEndpoint({ maxCoredumps: 4 });
        const fleet = await aSteppedFleet(endpoint);
        for (const step of steps) await takeStep(endpoint, fleet, step);

        for (const filter of [
          null,
          { firmwareVersion: ['1.0.0', '2.0.0'] },
          { modelCode: [fleet.models[0]?.code ?? ''] },
        ]) {
          const { crashes, crashBreakdown, byModel, crashGroups } = await endpoint.ask(ALL_CRASHES, {
            filter,
          });
          expect(added(crashBreakdown, crashes.length)).toEqual(crashes.map(({ count }) => count));
          expect(added(byModel, crashes.length)).toEqual(crashes.map(({ count }) => count));
          expect(crashBreakdown.every(({ count, buckets }) => count === sum(buckets))).toBe(true);
          for (const group of crashGroups.nodes) {
            expect(added(group.crashBreakdown, crashes.length)).toEqual(
              group.crashes.map(({ count }) => count),
            );
          }
        }
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });
});

type Buckets = ReadonlyArray<{ count: number }>;

const sum = (buckets: Buckets) => buckets.reduce((total, { count }) => total + count, 0);

function added(series: ReadonlyArray<{ buckets: Buckets }>, days: number): number[] {
  return Array.from({ length: days }, (_, day) =>
    series.reduce((total, { buckets }) => total + (buckets[day]?.count ?? 0), 0),
  );
}
