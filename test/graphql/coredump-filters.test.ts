import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { graphql } from '../generated/gql.js';
import type { CoredumpFilter } from '../generated/graphql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const FOUND = graphql(`
  query FoundDumps($filter: CoredumpFilter) {
    coredumps(filter: $filter) { totalCount nodes { filename } }
    devices { nodes { coredumps(filter: $filter) { totalCount nodes { filename } } } }
  }
`);

const ORDERED = graphql(`
  query OrderedDumps($orderBy: CoredumpOrder, $first: Int, $after: String, $last: Int, $before: String) {
    coredumps(orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { filename } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`);

const SHOWN = graphql(`
  query ShownDumps {
    devices { nodes { coredumps { nodes { kind crashKind crashedTask reason updatedAt } } } }
  }
`);

const at = (day: number) => new Date(Date.UTC(2026, 0, day));

describe('a filter of dumps', () => {
  it.each<[string, (fleet: Filled) => CoredumpFilter, string]>([
    ['ids', ({ ids }) => ({ id: [ids.a, ids.c, encodeGlobalId('Device', 1), 'none'] }), 'ca'],
    ['ids of other things, which match nothing', () => ({ id: [encodeGlobalId('Device', 1)] }), ''],
    ['a kind', () => ({ kind: ['CORE_DUMP'] }), 'dcba'],
    ['a device', ({ device }) => ({ deviceId: [device] }), 'dcba'],
    ['a build', ({ firmware }) => ({ firmwareId: [firmware] }), 'ba'],
    ['a build and a task', ({ firmware }) => ({ firmwareId: [firmware], crashedTask: ['wifi'] }), 'a'],
    ['a kind of crash', () => ({ crashKind: ['ABORT'] }), 'cb'],
    ['kinds of crash', () => ({ crashKind: ['ABORT', 'INVALID_READ'] }), 'cba'],
    ['a task', () => ({ crashedTask: ['wifi'] }), 'ca'],
    ['words of the reason', () => ({ reason: 'loadprohibited 0x10' }), 'a'],
    ['words of different reasons', () => ({ reason: 'loadprohibited abort' }), ''],
    ['stored raw bytes', () => ({ hasRaw: true }), 'da'],
    ['raw bytes that were removed or lost', () => ({ hasRaw: false }), 'cb'],
    ['the end of the parse, inclusive', () => ({ parsedAfter: at(2).toISOString() }), 'cb'],
    ['the end of the parse, exclusive', () => ({ parsedBefore: at(2).toISOString() }), 'a'],
    ['nulls as nothing', () => ({ id: null, hasRaw: null, crashGroupId: null, reason: null }), 'dcba'],
    ['empty lists, which match nothing', () => ({ crashGroupId: [] }), ''],
  ])('finds by %s', async (_, filterFor, names) => {
    const endpoint = await aGraphQLEndpoint();
    const filled = await fill(endpoint);

    const { coredumps, devices } = await endpoint.ask(FOUND, { filter: filterFor(filled) });

    const found = {
      totalCount: names.length,
      nodes: [...names].map((name) => ({ filename: `${name}.dmp` })),
    };
    expect({ coredumps, devices }).toEqual({ coredumps: found, devices: { nodes: [{ coredumps: found }] } });
  });

  it('finds by crash groups, within devices and with other conditions too', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const one = await aCrash(endpoint, device, { place: 'one', version: '1.0.0' });
    const two = await aCrash(endpoint, device, { place: 'two', version: '1.0.0' });
    const again = await aCrash(endpoint, device, { place: 'one', version: '2.0.0' });
    await endpoint.fleet.aDump(device);
    const find = async (filter: CoredumpFilter) => {
      const { coredumps, devices } = await endpoint.ask(FOUND, { filter });
      expect(devices.nodes[0]?.coredumps).toEqual(coredumps);
      expect(coredumps.totalCount).toBe(coredumps.nodes.length);
      return coredumps.nodes.map(({ filename }) => filename);
    };

    expect(await find({ crashGroupId: [one.groupId] })).toEqual([again.dump.filename, one.dump.filename]);
    expect(await find({ crashGroupId: [one.groupId], firmwareVersion: ['1.0.0'] })).toEqual([
      one.dump.filename,
    ]);
    expect(await find({ crashGroupId: [one.groupId, two.groupId], deviceKey: [device.key] })).toHaveLength(3);
    expect(await find({ crashGroupId: [one.groupId], modelCode: ['none'] })).toEqual([]);
    expect(await find({ crashGroupId: [encodeGlobalId('CrashGroup', 4711)] })).toEqual([]);
  });

  it('refuses a reason that is too long', async () => {
    const endpoint = await aGraphQLEndpoint();

    const { errors } = await endpoint.send(
      `{ coredumps(filter: { reason: "${'x'.repeat(201)}" }) { totalCount } }`,
    );

    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

describe('dumps by their arrival', () => {
  it('come oldest first, page by page from both ends, with the cursors of the other direction', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint);
    const orderBy = { field: 'UPLOADED_AT', direction: 'ASC' } as const;
    const page = async (args: object) => {
      const { coredumps } = await endpoint.ask(ORDERED, { orderBy, ...args });
      const { pageInfo, edges } = coredumps;
      expect(pageInfo.startCursor).toBe(edges[0]?.cursor ?? null);
      expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null);
      return { ...pageInfo, names: edges.map(({ node }) => node.filename[0]).join('') };
    };

    const first = await page({ first: 3 });
    const second = await page({ first: 3, after: first.endCursor });
    const last = await page({ last: 3 });
    const before = await page({ last: 3, before: last.startCursor });
    const all = await page({});
    const newest = await page({ orderBy: { field: 'UPLOADED_AT' }, first: 1, after: last.endCursor });

    expect(first).toMatchObject({ names: 'abc', hasNextPage: true, hasPreviousPage: false });
    expect(second).toMatchObject({ names: 'd', hasNextPage: false, hasPreviousPage: true });
    expect(last).toMatchObject({ names: 'bcd', hasNextPage: false, hasPreviousPage: true });
    expect(before).toMatchObject({ names: 'a', hasNextPage: true, hasPreviousPage: false });
    expect(all.names).toBe('abcd');
    // Without a direction the newest comes first: behind the cursor of "d" is "c".
    expect(newest.names).toBe('c');
  });
});

describe('a list of dumps', () => {
  it('shows crashes without a look at reports, texts or other columns', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint);

    const statements = await endpoint.statementsOf(async () => {
      const { devices } = await endpoint.ask(SHOWN, {});
      expect(devices.nodes[0]?.coredumps.nodes[3]).toEqual({
        kind: 'CORE_DUMP',
        crashKind: 'INVALID_READ',
        crashedTask: 'wifi',
        reason: 'LoadProhibited at 0x10',
        updatedAt: at(1).toISOString(),
      });
    });

    expect(statements).toHaveLength(2);
    expect(statements.join()).not.toContain('"sha256"');
  });

  it('takes values of a later version as the most general ones', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint);
    await endpoint.db.coredump.updateMany({ data: { kind: 'TELEGRAM', crashKind: 'METEORITE' } });

    const { devices } = await endpoint.ask(SHOWN, {});

    expect(devices.nodes[0]?.coredumps.nodes[0]).toMatchObject({ kind: 'CORE_DUMP', crashKind: 'OTHER' });
  });
});

type Filled = Awaited<ReturnType<typeof fill>>;

/** Dumps a to d of one device, d without a report; the raw bytes of b were removed, those of c are lost. */
async function fill({ fleet, db }: GraphQLEndpoint) {
  const model = await fleet.aModel();
  const device = await fleet.aDevice(model);
  const firmware = await fleet.aFirmware(model);
  const read = { parseStatus: 'PARSED', firmwareId: firmware.id } as const;
  const a = await fleet.aDump(device, {
    ...{ ...read, filename: 'a.dmp', uploadedAt: at(1), parsedAt: at(1) },
    ...{ crashKind: 'INVALID_READ', crashedTask: 'wifi', reason: 'LoadProhibited at 0x10' },
  });
  const b = await fleet.aDump(device, {
    ...{ ...read, filename: 'b.dmp', parsedAt: at(2) },
    ...{ crashKind: 'ABORT', crashedTask: 'main', reason: 'abort() was called' },
  });
  const c = await fleet.aDump(device, {
    ...{ filename: 'c.dmp', parseStatus: 'PARSED', parsedAt: at(3) },
    ...{ crashKind: 'ABORT', crashedTask: 'wifi', reason: 'abort() was called' },
  });
  const d = await fleet.aDump(device, { filename: 'd.dmp' });
  await db.removedRaw.create({ data: { coredumpId: b.id, removedAt: at(5) } });
  await db.lostRaw.create({ data: { coredumpId: c.id, noticedAt: at(5) } });
  return {
    ids: { a: a.globalId, b: b.globalId, c: c.globalId, d: d.globalId },
    device: device.globalId,
    firmware: firmware.globalId,
  };
}
