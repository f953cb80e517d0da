import { describe, expect, it } from 'vitest';
import { readQuery, snippetOf } from '../../src/search/service.js';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const SEARCH = graphql(`
  query SearchBox($query: String!) {
    search(query: $query) {
      coredumps { coredump { id } snippet { text isMatch } }
      crashGroups { culpritFunction }
      devices { key }
    }
  }
`);

const OUTPUT = `
#0  sensor_read (bus=0x0) at /builds/app/main/sensor.c:88
#1  app_main () at /builds/app/main/app_main.cpp:12
reason: Queue full while waiting
`;

const find = async (endpoint: GraphQLEndpoint, query: string) =>
  (await endpoint.ask(SEARCH, { query })).search;

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
      'query ($query: String!) { search(query: $query) { devices { id } } }',
      {
        query,
      },
    );

    expect(errors[0]).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
      message: expect.stringContaining(reason),
    });
  });

  it('bounds a snippet of an endless line', () => {
    const parts = snippetOf(`${'x '.repeat(50_000)}needle ${'y '.repeat(50_000)}`, readQuery('needle'));

    expect(parts.map(({ text }) => text).join('').length).toBeLessThan(200);
  });
});
