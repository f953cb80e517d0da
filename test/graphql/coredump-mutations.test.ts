import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aGraphQLDoor } from '../support/graphql-server.js';
import { aSmallFleet, LIST_COREDUMPS, ONE_COREDUMP } from '../support/small-fleet.js';

const DELETE = graphql(`
  mutation DeleteCoredump($id: ID!, $deviceId: ID) { deleteCoredump(id: $id, deviceId: $deviceId) }
`);

const DELETE_ALL = graphql(`
  mutation DeleteCoredumps($deviceId: ID!) { deleteCoredumps(deviceId: $deviceId) }
`);

const REPARSE = graphql(`
  mutation ReparseCoredump($id: ID!) { reparseCoredump(id: $id) { id parseStatus parseAttempts parsedOutput } }
`);

const REPARSE_ALL = graphql(`
  mutation ReparseCoredumps($filter: CoredumpFilter!) { reparseCoredumps(filter: $filter) }
`);

describe('deleting', () => {
  it('takes one dump away', async () => {
    const door = await aGraphQLDoor();
    const device = await door.fleet.aDevice(await door.fleet.aModel());
    const id = (await door.fleet.aDump(device)).globalId;

    const answer = await door.ask(DELETE, { id, deviceId: device.globalId });

    expect(answer).toEqual({ deleteCoredump: id });
    expect(await door.ask(ONE_COREDUMP, { id })).toEqual({ coredump: null });
  });

  it('is NOT_FOUND for another device’s dump, which stays', async () => {
    const door = await aGraphQLDoor();
    const model = await door.fleet.aModel();
    const other = await door.fleet.aDevice(model);
    const id = (await door.fleet.aDump(await door.fleet.aDevice(model))).globalId;

    const { errors } = await door.send(
      'mutation ($id: ID!, $d: ID) { deleteCoredump(id: $id, deviceId: $d) }',
      {
        id,
        d: other.globalId,
      },
    );

    expect(errors[0]?.extensions.code).toBe('NOT_FOUND');
    expect((await door.ask(ONE_COREDUMP, { id })).coredump?.id).toBe(id);
  });

  it('takes all dumps of a device away, and says how many', async () => {
    const door = await aGraphQLDoor();
    await aSmallFleet(door);
    const { globalId: deviceId } = await door.fleet.aDevice(await door.fleet.aModel(), { key: 'busy' });

    expect(await door.ask(DELETE_ALL, { deviceId })).toEqual({ deleteCoredumps: 0 });

    const kitchen = await door.db.device.findUniqueOrThrow({ where: { key: 'kitchen' } });
    const id = Buffer.from(`Device:${kitchen.id}`).toString('base64');
    expect(await door.ask(DELETE_ALL, { deviceId: id })).toEqual({ deleteCoredumps: 2 });
    expect((await door.ask(LIST_COREDUMPS, {})).coredumps.totalCount).toBe(2);
  });
});

describe('parsing again', () => {
  it('puts a dump back to PENDING and into the queue', async () => {
    const door = await aGraphQLDoor();
    const device = await door.fleet.aDevice(await door.fleet.aModel());
    const dump = await door.fleet.aDump(device, { parseStatus: 'ERROR', output: 'Unable to parse' });
    await door.putFile(device, dump);

    const { reparseCoredump } = await door.ask(REPARSE, { id: dump.globalId });

    expect(reparseCoredump).toEqual({
      id: dump.globalId,
      parseStatus: 'PENDING',
      parseAttempts: 0,
      parsedOutput: null,
    });
    expect(door.queued).toMatchObject([{ coredumpId: dump.id, deviceKey: device.key }]);
  });

  it('takes every dump of a filter, and says how many', async () => {
    const door = await aGraphQLDoor();
    await aSmallFleet(door);

    const answer = await door.ask(REPARSE_ALL, { filter: { parseStatus: ['ERROR', 'PARSED'] } });

    expect(answer).toEqual({ reparseCoredumps: 3 });
    expect(
      (await door.ask(LIST_COREDUMPS, { filter: { parseStatus: ['PENDING'] } })).coredumps.totalCount,
    ).toBe(4);
    expect(door.queued).toHaveLength(3);
  });

  it.each([
    'mutation { reparseCoredump(id: "Q29yZWR1bXA6MQ==") { id } }',
    'mutation { reparseCoredumps(filter: {}) }',
  ])('says so when there is no parser: %s', async (mutation) => {
    const door = await aGraphQLDoor({ hasParser: false });

    const { errors } = await door.send(mutation);

    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('PARSE_SIDECAR_URL'),
      extensions: { code: 'PARSER_NOT_CONFIGURED' },
    });
  });
});
