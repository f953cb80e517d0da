import { describe, expect, it } from 'vitest';
import { readQuery, snippetOf } from '../../src/search/service.js';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const SEARCH = graphql(`
  query SearchBox($query: String!) {
    search(query: $query) {
      coredumps { nodes { coredump { id } snippet { text isMatch } } }
      crashGroups { nodes { culpritFunction } }
      devices { nodes { key } }
    }
  }
`);

const HIT_PAGES = graphql(`
  query HitPages($query: String!, $first: Int, $after: String, $last: Int, $before: String) {
    search(query: $query) {
      coredumps(first: $first, after: $after, last: $last, before: $before) {
        edges { cursor }
        nodes { coredump { id } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
  }
`);
const BUILDS = graphql(`
  query SearchBuilds($query: String!) { search(query: $query) { firmwares { totalCount nodes { version } } } }
`);
const ONLY_DEVICES = graphql(`
  query SearchDevices($query: String!, $after: String) {
    search(query: $query) {
      devices(first: 1, after: $after) { totalCount nodes { key } pageInfo { endCursor hasNextPage } }
    }
  }
`);

const OUTPUT = `
#0  sensor_read (bus=0x0) at /builds/app/main/sensor.c:88
#1  app_main () at /builds/app/main/app_main.cpp:12
reason: Queue full while waiting
`;

async function find(endpoint: GraphQLEndpoint, query: string) {
  const { coredumps, crashGroups, devices } = (await endpoint.ask(SEARCH, { query })).search;
  return { coredumps: coredumps.nodes, crashGroups: crashGroups.nodes, devices: devices.nodes };
}

describe('search', () => {
  it.each([
    ['a word in another case', 'QUEUE', 1],
    ['the beginning of a word', 'wait', 1],
    ['the middle of a word', 'ueue', 0],
    ['a function', 'sensor_read', 1],
    ['the beginning of a function', 'sensor_re', 1],
    ['a file with its folder', 'main/sensor.c', 1],
    ['several words anywhere', 'full sensor app_main', 1],
    ['a word that is missing', 'full abort', 0],
    ['a phrase', '"queue full while"', 1],
    ['a phrase in another order', '"full queue"', 0],
    ['half a word in a phrase', '"queue ful"', 0],
    ['what the index would take for an operator', 'queue NOT OR', 0],
    ['what the index would take for syntax', 'queue* (full):"', 1],
  ])('finds by %s', async (_, query, count) => {
    const endpoint = await aGraphQLEndpoint();
    await aCrash(endpoint, await endpoint.fleet.aDevice(await endpoint.fleet.aModel()), { output: OUTPUT });

    expect((await find(endpoint, query)).coredumps).toHaveLength(count);
  });

  it('shows the line of the first match with what is to be highlighted', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump } = await aCrash(endpoint, await endpoint.fleet.aDevice(await endpoint.fleet.aModel()), {
      output: OUTPUT,
    });

    expect((await find(endpoint, 'sensor')).coredumps).toEqual([
      {
        coredump: { id: dump.globalId },
        snippet: [
          { text: '#0  ', isMatch: false },
          { text: 'sensor', isMatch: true },
          { text: '_read (bus=0x0) at /builds/app/main/', isMatch: false },
          { text: 'sensor', isMatch: true },
          { text: '.c:88', isMatch: false },
        ],
      },
    ]);
  });

  it('finds groups and devices as well, newest first', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel(), { key: 'sensor7' });
    const first = await aCrash(endpoint, device, { place: 'sensor_read', output: OUTPUT });
    const second = await aCrash(endpoint, device, { place: 'sensor_write', output: OUTPUT });

    expect(await find(endpoint, 'sensor')).toMatchObject({
      coredumps: [{ coredump: { id: second.dump.globalId } }, { coredump: { id: first.dump.globalId } }],
      crashGroups: [{ culpritFunction: 'sensor_write' }, { culpritFunction: 'sensor_read' }],
      devices: [{ key: 'sensor7' }],
    });
  });

  it('finds devices by the beginning of their key, and by their name', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    await endpoint.fleet.aDevice(model, { key: 'a4cf12ab34' });
    await endpoint.fleet.aDevice(model, { key: 'b1', name: 'Küche a4c' });

    expect((await find(endpoint, 'a4cf1')).devices).toEqual([{ key: 'a4cf12ab34' }]);
    expect((await find(endpoint, 'küche')).devices).toEqual([{ key: 'b1' }]);
    expect((await find(endpoint, 'a4c')).devices).toEqual([{ key: 'b1' }, { key: 'a4cf12ab34' }]);
  });

  it.each([
    ['1.2', ['1.2.10', '1.2.0']],
    ['1.2.1', ['1.2.10']],
    ['0.2', []],
    ['"1.2.0"', ['1.2.0']],
    ['000000000000000000000000000000000000000000000000000000000000000', ['2.0.0', '1.2.10', '1.2.0']],
    ['0000000000000000000000000000000000000000000000000000000000000003', ['2.0.0']],
    ['DEV', ['3.0-dev']],
  ])('finds builds by version and by the digits of the ELF: %j', async (query, versions) => {
    const endpoint = await aGraphQLEndpoint();
    const model = {
      id: (
        await endpoint.db.deviceModel.create({ data: { code: 'lamp', name: 'Lamp', createdAt: new Date() } })
      ).id,
    };
    for (const version of ['1.2.0', '1.2.10', '2.0.0']) await endpoint.fleet.aFirmware(model, { version });
    await endpoint.db.firmware.create({
      data: {
        modelId: model.id,
        version: '3.0-dev',
        elfSha256: 'ab'.repeat(32),
        size: 1,
        uploadedAt: new Date(),
      },
    });

    const { firmwares } = (await endpoint.ask(BUILDS, { query })).search;

    expect(firmwares).toEqual({
      totalCount: versions.length,
      nodes: versions.map((version) => ({ version })),
    });
  });

  it('is read page by page in both directions, also while dumps arrive', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const dumps: string[] = [];
    for (let i = 0; i < 5; i++)
      dumps.unshift((await aCrash(endpoint, device, { output: OUTPUT })).dump.globalId);
    const read = async (args: { first?: number; after?: string; last?: number; before?: string }) => {
      const { nodes, pageInfo } = (await endpoint.ask(HIT_PAGES, { query: 'queue', ...args })).search
        .coredumps;
      return { ids: nodes.map(({ coredump }) => coredump?.id), pageInfo };
    };

    const one = await read({ first: 2 });
    await aCrash(endpoint, device, { output: OUTPUT });
    const two = await read({ first: 2, after: String(one.pageInfo.endCursor) });
    const three = await read({ first: 2, after: String(two.pageInfo.endCursor) });
    const back = await read({ last: 3, before: String(three.pageInfo.startCursor) });
    const oldest = await read({ last: 2 });

    expect([...one.ids, ...two.ids, ...three.ids]).toEqual(dumps);
    expect([two.pageInfo.hasNextPage, three.pageInfo.hasNextPage]).toEqual([true, false]);
    expect(back).toMatchObject({ ids: dumps.slice(1, 4), pageInfo: { hasPreviousPage: true } });
    expect(oldest.ids).toEqual(dumps.slice(3));
  });

  it('takes statements only for the kinds that are selected, and has cursors for each', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    for (const key of ['lamp1', 'lamp2']) await endpoint.fleet.aDevice(model, { key });

    const statements = await endpoint.statementsOf(() => endpoint.ask(ONLY_DEVICES, { query: 'lamp' }));
    const one = (await endpoint.ask(ONLY_DEVICES, { query: 'lamp' })).search.devices;
    const after = one.pageInfo.endCursor;
    const two = (await endpoint.ask(ONLY_DEVICES, { query: 'lamp', after })).search.devices;

    expect(statements).toHaveLength(2);
    expect(one).toMatchObject({ totalCount: 2, nodes: [{ key: 'lamp2' }], pageInfo: { hasNextPage: true } });
    expect(two).toMatchObject({ totalCount: 2, nodes: [{ key: 'lamp1' }], pageInfo: { hasNextPage: false } });
  });

  it('forgets what is deleted or read anew', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const deleted = await aCrash(endpoint, device, { output: OUTPUT });
    const reset = await aCrash(endpoint, device, { output: OUTPUT });
    await aCrash(endpoint, device, { output: OUTPUT });

    await endpoint.coredumps.delete(deleted.dump.id);
    await endpoint.state.reset({ id: reset.dump.id });
    expect((await find(endpoint, 'queue')).coredumps).toHaveLength(1);

    await endpoint.devices.deleteDevice(device.id);
    expect((await find(endpoint, 'queue')).coredumps).toEqual([]);
  });

  it.each([
    ['', 'at least one'],
    ['*** ---', 'at least one'],
    ['a '.repeat(11), 'at most 10'],
    ['a'.repeat(201), 'at most 200'],
  ])('refuses %j, saying why', async (query, reason) => {
    const endpoint = await aGraphQLEndpoint();

    const { errors } = await endpoint.send(
      'query ($query: String!) { search(query: $query) { devices { nodes { id } } } }',
      {
        query,
      },
    );

    expect(errors[0]).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
      message: expect.stringContaining(reason),
    });
  });

  it('bounds a snippet of an endless line, between words', () => {
    const parts = snippetOf(
      `${'before '.repeat(50_000)}needle ${'after '.repeat(50_000)}`,
      readQuery('needle'),
    );

    const text = parts.map((part) => part.text).join('');
    expect(text).toMatch(/^…(before ){5,9}needle( after){9,17}…$/);
  });

  it('bounds a snippet where nothing divides the line', () => {
    const parts = snippetOf(`${'/'.repeat(5_000)}needle${'/'.repeat(5_000)}`, readQuery('needle'));

    expect(parts.map((part) => part.text.length)).toEqual([61, 6, 95]);
  });
});
