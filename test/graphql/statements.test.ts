import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const DUMPS_OF_DEVICES = graphql(`
  query DumpsOfDevices {
    devices(first: 200) { nodes { coredumps(first: 20) { nodes { id } } } }
  }
`);

const EVERYTHING_OF_DEVICES = graphql(`
  query EverythingOfDevices($dump: ID!) {
    devices(first: 50) {
      totalCount
      nodes {
        key
        model { code firmwares { totalCount nodes { version coredumpCount } } }
        coredumpCount
        lastCoredump { filename }
        coredump(id: $dump) { id }
        coredumps(first: 5, filter: { parseStatus: [PARSED] }) {
          totalCount
          pageInfo { hasNextPage }
          nodes { parsedOutput report { reason } firmware { version model { code } } device { key } }
        }
      }
    }
  }
`);

const DUMPS_WITH_THEIRS = graphql(`
  query DumpsWithTheirs {
    coredumps(first: 50) { nodes { parsedOutput device { model { code } coredumpCount } firmware { coredumpCount } } }
  }
`);

const DEVICES_OF_MODELS = graphql(`
  query DevicesOfModels {
    deviceModels { nodes { devices(first: 10) { totalCount nodes { coredumps { nodes { id } } } } } }
  }
`);

const LIGHT_COLUMNS = graphql(`
  query LightColumns {
    coredumps { nodes { id filename chip firmwareVersion size sha256 parseStatus parseAttempts uploadedAt downloadUrl } }
  }
`);

const PAGE_ALONE = graphql(
  `query PageAlone { coredumps(first: 5) { nodes { id } pageInfo { hasNextPage } } }`,
);
const PAGE_AND_COUNT = graphql(`query PageAndCount { coredumps(first: 5) { totalCount nodes { id } } }`);
const NODES = graphql(`
  query Nodes($a: ID!, $b: ID!, $c: ID!) {
    a: node(id: $a) { id }
    b: node(id: $b) { id }
    c: node(id: $c) { id }
  }
`);

describe('SQL statements', () => {
  it('are two for the dumps of 200 devices', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint, { models: 1, devicesEach: 200, dumpsEach: 3 });

    const statements = await endpoint.statementsOf(() => endpoint.ask(DUMPS_OF_DEVICES, {}));

    expect(statements).toHaveLength(2);
  });

  it.each([
    ['everything of 2 devices', { models: 1, devicesEach: 2, dumpsEach: 3 }],
    ['everything of 40 devices', { models: 4, devicesEach: 10, dumpsEach: 6 }],
  ])('are the same number for %s', async (_, size) => {
    const endpoint = await aGraphQLEndpoint();
    const { dump } = await fill(endpoint, size);

    const statements = await endpoint.statementsOf(() => endpoint.ask(EVERYTHING_OF_DEVICES, { dump }));

    // Devices and their count; models, their firmwares, those's count and the count of their dumps; all dumps' count,
    // the last, the one by id, the filtered and their count; and of these the sizes of texts, texts and firmwares: their
    // devices are known.
    expect(statements).toHaveLength(14);
  });

  it('do not grow with the dumps of a list', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint, { models: 3, devicesEach: 3, dumpsEach: 5 });

    const statements = await endpoint.statementsOf(() => endpoint.ask(DUMPS_WITH_THEIRS, {}));

    // Dumps, sizes of texts, texts, devices, firmwares, models, dumps of devices, dumps of firmwares.
    expect(statements).toHaveLength(8);
  });

  it('read a dump once, whichever of its columns are asked for', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint, { models: 1, devicesEach: 2, dumpsEach: 5 });

    const statements = await endpoint.statementsOf(() => endpoint.ask(LIGHT_COLUMNS, {}));

    expect(statements).toHaveLength(1);
  });

  it('do not grow with the devices of models', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint, { models: 5, devicesEach: 4, dumpsEach: 2 });

    const statements = await endpoint.statementsOf(() => endpoint.ask(DEVICES_OF_MODELS, {}));

    expect(statements).toHaveLength(4);
  });

  it('count only when the total is asked for, and never to know whether there is more', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint, { models: 1, devicesEach: 2, dumpsEach: 5 });

    const alone = await endpoint.statementsOf(() => endpoint.ask(PAGE_ALONE, {}));
    const counted = await endpoint.statementsOf(() => endpoint.ask(PAGE_AND_COUNT, {}));

    expect(alone).toHaveLength(1);
    expect(counted).toHaveLength(2);
  });

  it('read texts only when they are asked for', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint, { models: 1, devicesEach: 3, dumpsEach: 3 });

    const statements = await endpoint.statementsOf(() => endpoint.ask(DUMPS_OF_DEVICES, {}));

    expect(statements.join('\n')).not.toContain('CoredumpText');
  });

  it('are one for many nodes of one type', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => endpoint.fleet.aDevice(model)));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three devices were made');

    const statements = await endpoint.statementsOf(() =>
      endpoint.ask(NODES, { a: a.globalId, b: b.globalId, c: c.globalId }),
    );

    expect(statements).toHaveLength(1);
  });
});

/** @returns the global id of a dump */
async function fill(
  { fleet }: GraphQLEndpoint,
  { models, devicesEach, dumpsEach }: { models: number; devicesEach: number; dumpsEach: number },
) {
  let dump = '';
  for (let m = 0; m < models; m++) {
    const model = await fleet.aModel();
    const firmware = await fleet.aFirmware(model);
    for (let d = 0; d < devicesEach; d++) {
      const device = await fleet.aDevice(model);
      for (let n = 0; n < dumpsEach; n++) {
        const parsed = { parseStatus: 'PARSED', firmwareId: firmware.id, output: 'abort()' } as const;
        dump = (await fleet.aDump(device, parsed)).globalId;
      }
    }
  }
  return { dump };
}
