import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const CREATE_MODEL = graphql(`
  mutation CreateDeviceModel($input: CreateDeviceModelInput!) {
    createDeviceModel(input: $input) { deviceModel { id code name } }
  }
`);

const CREATE = graphql(`
  mutation CreateDevice($input: CreateDeviceInput!) {
    createDevice(input: $input) { token device { id key name model { code } createdAt updatedAt } }
  }
`);

const ROTATE = graphql(`
  mutation RotateDeviceToken($id: ID!) { rotateDeviceToken(input: { id: $id }) { token device { key } } }
`);

const UPDATE = graphql(`
  mutation UpdateDevice($input: UpdateDeviceInput!) {
    updateDevice(input: $input) { device { name model { code } } }
  }
`);

const DELETE = graphql(
  `mutation DeleteDevice($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }`,
);

const MODELS = graphql(`
  query Models { deviceModels { totalCount nodes { code devices { totalCount nodes { key } } } } }
`);

const MODEL = graphql(`query Model($code: String!) { deviceModel(code: $code) { id name } }`);

const DEVICES = graphql(`
  query Devices($filter: DeviceFilter) { devices(filter: $filter) { totalCount nodes { key } } }
`);

const DEVICE = graphql(`query Device($key: String!) { device(key: $key) { id name } }`);

describe('device models', () => {
  it('are made, listed newest first, and found by code', async () => {
    const endpoint = await aGraphQLEndpoint();
    await endpoint.ask(CREATE_MODEL, { input: { code: 'thermostat', name: 'Thermostat' } });
    const { createDeviceModel } = await endpoint.ask(CREATE_MODEL, {
      input: { code: 'pump_2', name: 'Pump' },
    });

    const { deviceModels } = await endpoint.ask(MODELS, {});

    expect(deviceModels.nodes.map(({ code }) => code)).toEqual(['pump_2', 'thermostat']);
    expect(await endpoint.ask(MODEL, { code: 'pump_2' })).toEqual({
      deviceModel: { id: createDeviceModel.deviceModel.id, name: 'Pump' },
    });
    expect(await endpoint.ask(MODEL, { code: 'nothing' })).toEqual({ deviceModel: null });
  });

  it.each(['', 'Thermostat', 'a-b', '../x', 'x'.repeat(33), 'a\n'])('refuse the code %j', async (code) => {
    const { send } = await aGraphQLEndpoint();

    const { errors } = await send(
      'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { id } } }',
      { input: { code, name: 'x' } },
    );

    expect(errors[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });

  it('refuse a code that is taken', async () => {
    const endpoint = await aGraphQLEndpoint();
    const mutation =
      'mutation { createDeviceModel(input: { code: "pump", name: "Pump" }) { deviceModel { id } } }';
    await endpoint.send(mutation);

    const { errors } = await endpoint.send(mutation);

    expect(errors).toMatchObject([
      { message: expect.stringContaining('"pump"'), extensions: { code: 'CONFLICT' } },
    ]);
  });
});

describe('making a device', () => {
  it('gives it the key and the name that were asked for', async () => {
    const endpoint = await anEndpointWithModel();

    const { createDevice } = await endpoint.ask(CREATE, {
      input: { modelCode: 'thermostat', key: 'kitchen', name: 'Küche' },
    });

    expect(createDevice.device).toMatchObject({
      key: 'kitchen',
      name: 'Küche',
      model: { code: 'thermostat' },
    });
    expect(await endpoint.ask(DEVICE, { key: 'kitchen' })).toEqual({
      device: { id: createDevice.device.id, name: 'Küche' },
    });
  });

  it('makes up a key of eight letters and digits when none is given', async () => {
    const endpoint = await anEndpointWithModel();

    const { createDevice: one } = await endpoint.ask(CREATE, { input: { modelCode: 'thermostat' } });
    const { createDevice: two } = await endpoint.ask(CREATE, {
      input: { modelCode: 'thermostat', key: null },
    });

    expect(one.device.key).toMatch(/^[a-z0-9]{8}$/);
    expect(two.device.key).toMatch(/^[a-z0-9]{8}$/);
    expect(one.device.key).not.toBe(two.device.key);
  });

  it('shows a token of 256 bits, and keeps its hash only', async () => {
    const endpoint = await anEndpointWithModel();

    const { createDevice } = await endpoint.ask(CREATE, { input: { modelCode: 'thermostat', key: 'dev1' } });

    expect(Buffer.from(createDevice.token, 'base64url')).toHaveLength(32);
    const row = await endpoint.db.device.findUniqueOrThrow({ where: { key: 'dev1' } });
    expect(row.tokenSha256).toBe(createHash('sha256').update(createDevice.token).digest('hex'));
    expect(await endpoint.devices.findByToken(createDevice.token)).toMatchObject({ key: 'dev1' });
  });

  it.each([
    [{ modelCode: 'thermostat', key: 'UPPER' }, 'BAD_USER_INPUT'],
    [{ modelCode: 'thermostat', key: 'a_b' }, 'BAD_USER_INPUT'],
    [{ modelCode: 'thermostat', key: '' }, 'BAD_USER_INPUT'],
    [{ modelCode: 'thermostat', key: 'a'.repeat(33) }, 'BAD_USER_INPUT'],
    [{ modelCode: 'thermostat', name: '   ' }, 'BAD_USER_INPUT'],
    [{ modelCode: 'thermostat', name: 'x'.repeat(201) }, 'BAD_USER_INPUT'],
    [{ modelCode: 'nothing' }, 'NOT_FOUND'],
    [{ modelCode: 'thermostat', key: 'taken' }, 'CONFLICT'],
  ])('refuses %j', async (input, code) => {
    const endpoint = await anEndpointWithModel();
    await endpoint.ask(CREATE, { input: { modelCode: 'thermostat', key: 'taken' } });

    const { errors } = await endpoint.send(
      'mutation ($input: CreateDeviceInput!) { createDevice(input: $input) { token } }',
      { input },
    );

    expect(errors[0]?.extensions.code).toBe(code);
    expect((await endpoint.ask(DEVICES, {})).devices.totalCount).toBe(1);
  });
});

describe('a device', () => {
  it('gets a new token, and the old one works on for a while', async () => {
    const endpoint = await anEndpointWithModel();
    const { createDevice: made } = await endpoint.ask(CREATE, { input: { modelCode: 'thermostat' } });

    const { rotateDeviceToken } = await endpoint.ask(ROTATE, { id: made.device.id });

    expect(await endpoint.devices.findByToken(made.token)).toMatchObject({ key: made.device.key });
    expect(await endpoint.devices.findByToken(rotateDeviceToken.token)).toMatchObject({
      key: made.device.key,
    });
  });

  it('changes what is given, keeps what is left out, and loses its name by null', async () => {
    const endpoint = await anEndpointWithModel();
    await endpoint.ask(CREATE_MODEL, { input: { code: 'pump', name: 'Pump' } });
    const { createDevice } = await endpoint.ask(CREATE, { input: { modelCode: 'thermostat', name: 'Old' } });
    const { id } = createDevice.device;
    const change = async (input: object) =>
      (await endpoint.ask(UPDATE, { input: { id, ...input } })).updateDevice.device;

    expect(await change({ name: 'New' })).toEqual({ name: 'New', model: { code: 'thermostat' } });
    expect(await change({ modelCode: 'pump' })).toEqual({ name: 'New', model: { code: 'pump' } });
    expect(await change({ name: null })).toEqual({ name: null, model: { code: 'pump' } });
  });

  it('goes with its dumps, rows and files', async () => {
    const endpoint = await anEndpointWithModel();
    const { createDevice } = await endpoint.ask(CREATE, { input: { modelCode: 'thermostat', key: 'dev1' } });
    const device = await endpoint.devices.findByKey('dev1');
    if (device === null) throw new Error('dev1 was made');
    const { coredump } = await endpoint.coredumps.save({
      device,
      chip: 'esp32',
      firmwareVersion: '1.0.0',
      idempotencyKey: null,
      body: (async function* () {
        yield Buffer.from('dump');
      })(),
    });

    const answer = await endpoint.ask(DELETE, { id: createDevice.device.id });

    expect(answer).toEqual({ deleteDevice: { deletedDeviceId: createDevice.device.id } });
    expect(await endpoint.ask(DEVICE, { key: 'dev1' })).toEqual({ device: null });
    expect(await endpoint.coredumps.get(coredump.id)).toBeNull();
    expect(await endpoint.storedDumps()).toEqual([]);
  });

  it.each([
    'mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }',
    'mutation ($id: ID!) { updateDevice(input: { id: $id, name: "x" }) { device { id } } }',
    'mutation ($id: ID!) { rotateDeviceToken(input: { id: $id }) { token } }',
    'mutation ($id: ID!) { deleteCoredumps(input: { deviceId: $id }) { count } }',
  ])('is NOT_FOUND when it is none: %s', async (mutation) => {
    const endpoint = await anEndpointWithModel();
    const ids = ['Device:999', 'DeviceModel:1', 'Device:', 'Device:-1'].map((text) =>
      Buffer.from(text).toString('base64'),
    );

    for (const id of [...ids, '', 'garbage', '💥']) {
      const { errors } = await endpoint.send(mutation, { id });
      expect(errors[0]?.extensions.code, id).toBe('NOT_FOUND');
    }
  });
});

describe('a list of devices', () => {
  it.each([
    [{}, ['cellar', 'attic', 'kitchen']],
    [{ search: 'KIT' }, ['kitchen']],
    [{ search: 'room' }, ['attic', 'kitchen']],
    [{ search: 'room attic' }, ['attic']],
    [{ search: '50%' }, ['attic']],
    [{ search: '%' }, ['attic']],
    [{ search: '_' }, []],
    [{ modelCode: ['pump'] }, ['cellar']],
    [{ modelCode: [] }, []],
    [{ modelCode: ['pump', 'thermostat'], search: 'e' }, ['cellar', 'kitchen']],
  ])('finds by %j', async (filter, keys) => {
    const endpoint = await aGraphQLEndpoint();
    const [thermostat, pump] = [
      await endpoint.fleet.aModel({ code: 'thermostat' }),
      await endpoint.fleet.aModel({ code: 'pump' }),
    ];
    await endpoint.fleet.aDevice(thermostat, { key: 'kitchen', name: 'Room 1' });
    await endpoint.fleet.aDevice(thermostat, { key: 'attic', name: 'Room 2 50%' });
    await endpoint.fleet.aDevice(pump, { key: 'cellar' });

    const { devices } = await endpoint.ask(DEVICES, { filter });

    expect(devices.nodes.map(({ key }) => key)).toEqual(keys);
    expect(devices.totalCount).toBe(keys.length);
  });
});

async function anEndpointWithModel(): Promise<GraphQLEndpoint> {
  const endpoint = await aGraphQLEndpoint();
  await endpoint.ask(CREATE_MODEL, { input: { code: 'thermostat', name: 'Thermostat' } });
  return endpoint;
}
