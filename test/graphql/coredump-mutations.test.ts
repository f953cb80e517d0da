import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { aSmallFleet, LIST_COREDUMPS, ONE_COREDUMP } from '../support/small-fleet.js';

const DELETE = graphql(`
  mutation DeleteCoredump($id: ID!, $deviceId: ID) {
    deleteCoredump(input: { id: $id, deviceId: $deviceId }) { deletedCoredumpId }
  }
`);

const DELETE_ALL = graphql(`
  mutation DeleteCoredumps($deviceId: ID!) { deleteCoredumps(input: { deviceId: $deviceId }) { count } }
`);

const REPARSE = graphql(`
  mutation ReparseCoredump($id: ID!) {
    reparseCoredump(input: { id: $id }) { coredump { id parseStatus parseAttempts parsedOutput } }
  }
`);

const REPARSE_ALL = graphql(`
  mutation ReparseCoredumps($filter: CoredumpFilter!) {
    reparseCoredumps(input: { filter: $filter }) { count }
  }
`);

describe('deleting', () => {
  it('takes one dump away', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const id = (await endpoint.fleet.aDump(device)).globalId;

    const answer = await endpoint.ask(DELETE, { id, deviceId: device.globalId });

    expect(answer).toEqual({ deleteCoredump: { deletedCoredumpId: id } });
    expect(await endpoint.ask(ONE_COREDUMP, { id })).toEqual({ coredump: null });
  });

  it('is NOT_FOUND for another device’s dump, which stays', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    const other = await endpoint.fleet.aDevice(model);
    const id = (await endpoint.fleet.aDump(await endpoint.fleet.aDevice(model))).globalId;

    const { errors } = await endpoint.send(
      'mutation ($id: ID!, $d: ID) { deleteCoredump(input: { id: $id, deviceId: $d }) { deletedCoredumpId } }',
      {
        id,
        d: other.globalId,
      },
    );

    expect(errors[0]?.extensions.code).toBe('NOT_FOUND');
    expect((await endpoint.ask(ONE_COREDUMP, { id })).coredump?.id).toBe(id);
  });

  it('takes all dumps of a device away, and says how many', async () => {
    const endpoint = await aGraphQLEndpoint();
    await aSmallFleet(endpoint);
    const { globalId: deviceId } = await endpoint.fleet.aDevice(await endpoint.fleet.aModel(), {
      key: 'busy',
    });

    expect(await endpoint.ask(DELETE_ALL, { deviceId })).toEqual({ deleteCoredumps: { count: 0 } });

    const kitchen = await endpoint.db.device.findUniqueOrThrow({ where: { key: 'kitchen' } });
    const id = Buffer.from(`Device:${kitchen.id}`).toString('base64');
    expect(await endpoint.ask(DELETE_ALL, { deviceId: id })).toEqual({ deleteCoredumps: { count: 2 } });
    expect((await endpoint.ask(LIST_COREDUMPS, {})).coredumps.totalCount).toBe(2);
  });
});

describe('parsing again', () => {
  it('puts a dump back to PENDING and into the queue', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const dump = await endpoint.fleet.aDump(device, { parseStatus: 'ERROR', output: 'Unable to parse' });
    await endpoint.putFile(device, dump);

    const { reparseCoredump } = await endpoint.ask(REPARSE, { id: dump.globalId });

    expect(reparseCoredump.coredump).toEqual({
      id: dump.globalId,
      parseStatus: 'PENDING',
      parseAttempts: 0,
      parsedOutput: null,
    });
    expect(endpoint.queued).toMatchObject([{ coredumpId: dump.id, deviceKey: device.key }]);
  });

  it('takes every dump of a filter, and says how many', async () => {
    const endpoint = await aGraphQLEndpoint();
    await aSmallFleet(endpoint);

    const answer = await endpoint.ask(REPARSE_ALL, { filter: { parseStatus: ['ERROR', 'PARSED'] } });

    expect(answer).toEqual({ reparseCoredumps: { count: 3 } });
    expect(
      (await endpoint.ask(LIST_COREDUMPS, { filter: { parseStatus: ['PENDING'] } })).coredumps.totalCount,
    ).toBe(4);
    expect(endpoint.queued).toHaveLength(3);
  });

  it.each([
    'mutation { reparseCoredump(input: { id: "Q29yZWR1bXA6MQ==" }) { coredump { id } } }',
    'mutation { reparseCoredumps(input: { filter: {} }) { count } }',
  ])('says so when there is no parser: %s', async (mutation) => {
    const endpoint = await aGraphQLEndpoint({ hasParser: false });

    const { errors } = await endpoint.send(mutation);

    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('PARSE_SIDECAR_URL'),
      extensions: { code: 'PARSER_NOT_CONFIGURED' },
    });
  });
});
