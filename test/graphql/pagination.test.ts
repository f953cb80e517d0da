import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import type { CoredumpFilter } from '../generated/graphql.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const FLEET_PAGE = graphql(`
  query FleetPage($filter: CoredumpFilter, $first: Int, $after: String, $last: Int, $before: String) {
    coredumps(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { id } }
      nodes { id }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      totalCount
    }
  }
`);

const DEVICE_PAGE = graphql(`
  query DevicePage($key: String!, $first: Int, $after: String) {
    device(key: $key) { coredumps(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }
  }
`);

const MODEL_PAGE = graphql(`
  query ModelPage($code: String!, $first: Int, $after: String) {
    deviceModel(code: $code) {
      devices(first: $first, after: $after) { nodes { key } pageInfo { hasNextPage endCursor } }
      firmwares(first: $first) { nodes { version } pageInfo { hasNextPage endCursor } }
    }
  }
`);

/** What happens between two pages: dumps arrive, and some of those that are there go. */
const happenings = fc.array(
  fc.record({ arrive: fc.nat({ max: 3 }), go: fc.array(fc.nat({ max: 30 }), { maxLength: 4 }) }),
  { minLength: 1, maxLength: 6 },
);

describe('paging through dumps that arrive and go', () => {
  it.each(['fleet', 'device'] as const)(
    'shows each dump of a %s that stays exactly once, newest first',
    async (whose) => {
      const endpoint = await aGraphQLEndpoint();
      const model = await endpoint.fleet.aModel();
      const device = await endpoint.fleet.aDevice(model, { key: 'dev' });
      const ask = whose === 'fleet' ? fleetPage : devicePage;

      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: 25 }),
          fc.integer({ min: 1, max: 7 }),
          happenings,
          async (n, first, turns) => {
            await endpoint.db.coredump.deleteMany();
            for (let i = 0; i < n; i++) await endpoint.fleet.aDump(device);
            const atFirst = await idsOf(endpoint);
            const seen: string[] = [];
            let after: string | null = null;
            for (let turn = 0; ; turn++) {
              const page: Awaited<ReturnType<typeof ask>> = await ask(endpoint, first, after);
              seen.push(...page.ids);
              if (!page.hasNextPage) break;
              after = page.endCursor;
              await happen(endpoint, device, turns[turn % turns.length] ?? { arrive: 0, go: [] });
            }
            const stayed = new Set(await idsOf(endpoint));

            expect(new Set(seen).size).toBe(seen.length);
            expect(atFirst.filter((id) => stayed.has(id) && !seen.includes(id))).toEqual([]);
            expect(seen).toEqual(atFirst.filter((id) => seen.includes(id)));
          },
        ),
        { numRuns: 25 },
      );
    },
  );

  it('goes on where it was when the cursor’s own dump is gone', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dumps } = await someDumps(endpoint, 5);
    const first = (await endpoint.ask(FLEET_PAGE, { first: 2 })).coredumps;
    await endpoint.db.coredump.delete({ where: { id: dumps[1]?.id ?? 0 } });

    const second = (await endpoint.ask(FLEET_PAGE, { first: 2, after: first.pageInfo.endCursor ?? null }))
      .coredumps;

    expect(second.nodes.map(({ id }) => id)).toEqual([dumps[2]?.globalId, dumps[3]?.globalId]);
    expect(second.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
  });
});

describe('a page', () => {
  it('has 20 items when nobody says otherwise, and edges and nodes alike', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dumps } = await someDumps(endpoint, 25);

    const { coredumps } = await endpoint.ask(FLEET_PAGE, {});

    const newest = dumps.slice(0, 20).map(({ globalId }) => globalId);
    expect(coredumps.nodes.map(({ id }) => id)).toEqual(newest);
    expect(coredumps.edges.map(({ node }) => node.id)).toEqual(newest);
    expect(coredumps.pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: coredumps.edges[0]?.cursor,
      endCursor: coredumps.edges[19]?.cursor,
    });
    expect(coredumps.totalCount).toBe(25);
  });

  it('may be empty, and still tell how many there are', async () => {
    const endpoint = await aGraphQLEndpoint();
    await someDumps(endpoint, 2);

    for (const size of [{ first: 0 }, { last: 0 }]) {
      const { coredumps } = await endpoint.ask(FLEET_PAGE, size);
      expect(coredumps).toMatchObject({
        edges: [],
        nodes: [],
        totalCount: 2,
        pageInfo: { startCursor: null, endCursor: null },
      });
    }
  });

  it('can be taken from the old end, and go back from there', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dumps } = await someDumps(endpoint, 5);
    const ids = dumps.map(({ globalId }) => globalId);

    const { coredumps: last } = await endpoint.ask(FLEET_PAGE, { last: 2 });
    const { coredumps: before } = await endpoint.ask(FLEET_PAGE, {
      last: 2,
      before: last.pageInfo.startCursor ?? null,
    });

    expect(last.nodes.map(({ id }) => id)).toEqual(ids.slice(3));
    expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(before.nodes.map(({ id }) => id)).toEqual(ids.slice(1, 3));
    expect(before.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
  });

  it.each<CoredumpFilter>([
    { firmwareVersion: ['1.0.0'] },
    { firmwareVersion: ['1.0.0', '0.9.0', '1.0.0', 'none'] },
    { firmwareVersion: ['1.0.0'], parseStatus: ['PARSED'] },
    { firmwareVersion: ['1.0.0', '0.9.0'], parseStatus: ['PARSED', 'ERROR'] },
    { parseStatus: ['PARSED', 'ERROR'] },
  ])('of %j is one of all that are so, from both ends', async (filter) => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    for (let round = 0; round < 3; round++) {
      for (const firmwareVersion of ['0.9.0', '1.0.0', '1.1.0']) {
        for (const parseStatus of ['PENDING', 'PARSED', 'ERROR'] as const) {
          await endpoint.fleet.aDump(device, { firmwareVersion, parseStatus });
        }
      }
    }
    const { firmwareVersion, parseStatus } = filter;
    const wanted = await endpoint.db.coredump.findMany({
      where: {
        ...(firmwareVersion == null ? {} : { firmwareVersion: { in: [...firmwareVersion] } }),
        ...(parseStatus == null ? {} : { parseStatus: { in: [...parseStatus] } }),
      },
      orderBy: { id: 'desc' },
    });
    const ids = wanted.map(({ id }) => Buffer.from(`Coredump:${id}`).toString('base64'));

    const fromNew = await walk(async (after) => {
      const { coredumps } = await endpoint.ask(FLEET_PAGE, { filter, first: 3, after });
      const { hasNextPage, endCursor } = coredumps.pageInfo;
      return { ids: coredumps.nodes.map(({ id }) => id), next: hasNextPage ? endCursor : null };
    });
    const fromOld = await walk(async (before) => {
      const { coredumps } = await endpoint.ask(FLEET_PAGE, { filter, last: 3, before });
      const { hasPreviousPage, startCursor } = coredumps.pageInfo;
      return { ids: coredumps.nodes.map(({ id }) => id), next: hasPreviousPage ? startCursor : null };
    });

    expect(fromNew.flat()).toEqual(ids);
    expect(fromOld.reverse().flat()).toEqual(ids);
  });

  it('of a model’s devices and builds is its own', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [pump, other] = [await endpoint.fleet.aModel({ code: 'pump' }), await endpoint.fleet.aModel()];
    for (const key of ['a', 'b', 'c']) {
      await endpoint.fleet.aDevice(pump, { key });
      await endpoint.fleet.aDevice(other);
      await endpoint.fleet.aFirmware(pump, { version: key });
      await endpoint.fleet.aFirmware(other, { version: key });
    }

    const { deviceModel: first } = await endpoint.ask(MODEL_PAGE, { code: 'pump', first: 2 });
    const after = first?.devices.pageInfo.endCursor ?? null;
    const { deviceModel: second } = await endpoint.ask(MODEL_PAGE, { code: 'pump', first: 2, after });

    expect(first?.devices.nodes).toEqual([{ key: 'c' }, { key: 'b' }]);
    expect(first?.firmwares.nodes).toEqual([{ version: 'c' }, { version: 'b' }]);
    expect(second?.devices).toMatchObject({ nodes: [{ key: 'a' }], pageInfo: { hasNextPage: false } });
  });
});

/** Pages as they come, until one says that there is no other. */
async function walk(
  ask: (cursor: string | null) => Promise<{ ids: string[]; next: string | null | undefined }>,
): Promise<string[][]> {
  const pages: string[][] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Awaited<ReturnType<typeof ask>> = await ask(cursor);
    pages.push(page.ids);
    if (page.next == null) return pages;
    cursor = page.next;
  }
}

async function fleetPage(endpoint: GraphQLEndpoint, first: number, after: string | null) {
  const { coredumps } = await endpoint.ask(FLEET_PAGE, { first, after });
  return { ids: coredumps.nodes.map(({ id }) => id), ...endOf(coredumps.pageInfo) };
}

async function devicePage(endpoint: GraphQLEndpoint, first: number, after: string | null) {
  const { device } = await endpoint.ask(DEVICE_PAGE, { key: 'dev', first, after });
  if (device == null) throw new Error('the device was made');
  return { ids: device.coredumps.nodes.map(({ id }) => id), ...endOf(device.coredumps.pageInfo) };
}

function endOf({ hasNextPage, endCursor }: { hasNextPage: boolean; endCursor?: string | null | undefined }) {
  return { hasNextPage, endCursor: endCursor ?? null };
}

/** Newest first, read past the endpoint. */
async function idsOf({ db }: GraphQLEndpoint): Promise<string[]> {
  const rows = await db.coredump.findMany({ orderBy: { id: 'desc' }, select: { id: true } });
  return rows.map(({ id }) => Buffer.from(`Coredump:${id}`).toString('base64'));
}

async function happen(
  { db, fleet }: GraphQLEndpoint,
  device: { id: number },
  { arrive, go }: { arrive: number; go: number[] },
): Promise<void> {
  const rows = await db.coredump.findMany({ orderBy: { id: 'desc' }, select: { id: true } });
  const ids = go.map((index) => rows[index]?.id ?? 0);
  await db.coredump.deleteMany({ where: { id: { in: ids } } });
  for (let i = 0; i < arrive; i++) await fleet.aDump(device);
}

/** Newest first. */
async function someDumps({ fleet }: GraphQLEndpoint, count: number) {
  const device = await fleet.aDevice(await fleet.aModel());
  const dumps = [];
  for (let i = 0; i < count; i++) dumps.unshift(await fleet.aDump(device));
  return { dumps };
}
