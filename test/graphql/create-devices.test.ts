import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

describe('createDevices', () => {
  it('registers all of them, in the order of the list, each with a token that works', async () => {
    const { endpoint, create } = await aWorld();
    const list = Array.from({ length: 200 }, (_, n) => ({
      serial: `SN-${n}`,
      name: n === 7 ? 'Hallway' : null,
    }));

    const { devices, errors } = await create({ devices: list });

    expect(errors).toEqual([]);
    expect(devices.map(({ device }) => device.serial)).toEqual(list.map(({ serial }) => serial));
    expect(devices[7]?.device).toMatchObject({ name: 'Hallway', approval: 'APPROVED', hasToken: true });
    const found = await endpoint.devices.findByToken(devices[199]?.token ?? '');
    expect(found).toMatchObject({ serial: 'SN-199', tokenState: 'own' });
    expect(await endpoint.db.auditEvent.count({ where: { action: 'createDevices' } })).toBe(200);
  });

  it('registers serials alone, for an ingest key', async () => {
    const { create } = await aWorld();

    const { devices } = await create({ devices: [{ serial: 'SN-1', key: 'dev1' }], withTokens: false });

    expect(devices).toEqual([
      {
        token: null,
        device: { key: 'dev1', serial: 'SN-1', name: null, approval: 'APPROVED', hasToken: false },
      },
    ]);
  });

  it.each([
    ['a serial that is none', { serial: 'a/b' }, 'BAD_USER_INPUT', 'serial'],
    ['a key that is none', { key: 'A' }, 'BAD_USER_INPUT', 'key'],
    ['a name that is none', { name: '' }, 'BAD_USER_INPUT', 'name'],
    ['a serial twice', { serial: 'SN-0' }, 'BAD_USER_INPUT', 'serial'],
    ['a key twice', { key: 'key0' }, 'BAD_USER_INPUT', 'key'],
    ['a serial that the model has', { serial: 'taken' }, 'CONFLICT', 'serial'],
    ['a key that some device has', { key: 'taken' }, 'CONFLICT', 'key'],
  ])('with %s registers none, and names it', async (_, wrong, code, field) => {
    const { endpoint, create, model } = await aWorld();
    const { id } = await endpoint.fleet.aDevice(model, { key: 'taken' });
    await endpoint.db.device.update({ where: { id }, data: { serial: 'taken' } });
    const list = [{ serial: 'SN-0', key: 'key0' }, { serial: 'SN-1' }, { serial: 'SN-2' }, wrong];

    const { errors } = await create({ devices: list });

    expect(errors).toMatchObject([{ extensions: { code, field: `input.devices.3.${field}` } }]);
    expect(await endpoint.db.device.count()).toBe(1);
  });

  it.each([
    [[], 'input.devices'],
    [Array.from({ length: 201 }, (_, n) => ({ serial: `${n}` })), undefined],
  ])('refuses too few and too many', async (devices, field) => {
    const { create } = await aWorld();

    const { errors } = await create({ devices });

    expect(errors).toHaveLength(1);
    if (field !== undefined) expect(errors).toMatchObject([{ extensions: { field } }]);
  });

  it('takes the same serial for another model', async () => {
    const { endpoint, create } = await aWorld();
    const pump = await endpoint.fleet.aModel({ code: 'pump' });
    await create({ devices: [{ serial: 'SN-1' }] });

    expect(await create({ modelCode: pump.code, devices: [{ serial: 'SN-1' }] })).toMatchObject({
      errors: [],
    });
  });

  it('registers each serial once when two lists come at once', async () => {
    const { endpoint, create } = await aWorld();
    const devices = Array.from({ length: 20 }, (_, n) => ({ serial: `SN-${n}` }));

    const answers = await Promise.all([create({ devices }), create({ devices })]);

    expect(answers.map(({ errors }) => errors.length).sort()).toEqual([0, 1]);
    expect(answers.flatMap(({ errors }) => errors)).toMatchObject([
      { extensions: { code: 'CONFLICT', field: 'input.devices.0.serial' } },
    ]);
    expect(await endpoint.db.device.count()).toBe(20);
  });
});

describe('the serial of a device', () => {
  it('is given, corrected and removed, and unique within the model', async () => {
    const { endpoint, model } = await aWorld();
    const first = await endpoint.fleet.aDevice(model);
    const second = await endpoint.fleet.aDevice(model);
    const update = (id: string, rest: string) =>
      endpoint.send(`mutation { updateDevice(input: { id: "${id}", ${rest} }) { device { serial } } }`);

    expect(await update(first.globalId, 'serial: "SN:1"')).toMatchObject({
      data: { updateDevice: { device: { serial: 'SN:1' } } },
    });
    expect((await update(second.globalId, 'serial: "SN:1"')).errors).toMatchObject([
      { extensions: { code: 'CONFLICT', field: 'input.serial' } },
    ]);
    expect((await update(second.globalId, 'serial: "S N"')).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'input.serial' } },
    ]);
    expect(await update(first.globalId, 'serial: null')).toMatchObject({
      data: { updateDevice: { device: { serial: null } } },
    });
    expect((await update(second.globalId, 'serial: "SN:1"')).errors).toEqual([]);
  });

  it('stops a move to a model that has it', async () => {
    const { endpoint, create } = await aWorld();
    await endpoint.fleet.aModel({ code: 'pump' });
    await create({ devices: [{ serial: 'SN-1', key: 'mine' }] });
    await create({ modelCode: 'pump', devices: [{ serial: 'SN-1' }] });
    const mine = await endpoint.db.device.findUniqueOrThrow({ where: { key: 'mine' } });

    const { errors } = await endpoint.send(
      `mutation { updateDevice(input: { id: "${encodeGlobalId('Device', mine.id)}", modelCode: "pump" }) { device { id } } }`,
    );

    expect(errors).toMatchObject([{ extensions: { code: 'CONFLICT', field: 'input.modelCode' } }]);
  });

  it('is found by a search, and by filters', async () => {
    const { endpoint, create } = await aWorld();
    await create({ devices: [{ serial: 'AB-12:cd', key: 'mine' }, { serial: 'zz' }] });
    const keysBy = async (filter: string) => {
      const { data } = await endpoint.send(`{ devices(filter: ${filter}) { nodes { key } } }`);
      return (data as { devices: { nodes: Array<{ key: string }> } }).devices.nodes.map(({ key }) => key);
    };

    expect(await keysBy('{ search: "ab-12" }')).toEqual(['mine']);
    expect(await keysBy('{ serial: ["AB-12:cd"] }')).toEqual(['mine']);
    expect(await keysBy('{ serial: ["ab-12:cd"] }')).toEqual([]);
    const { data } = await endpoint.send('{ search(query: "12:cd") { devices { nodes { key } } } }');
    expect(data).toEqual({ search: { devices: { nodes: [{ key: 'mine' }] } } });
  });
});

interface Answer {
  devices: Array<{ token: string | null; device: { serial: string } }>;
  errors: readonly unknown[];
}

async function aWorld() {
  const endpoint = await aGraphQLEndpoint();
  const model = await endpoint.fleet.aModel({ code: 'thermostat' });
  return { endpoint, model, create: creator(endpoint) };
}

function creator(endpoint: GraphQLEndpoint) {
  return async (input: { modelCode?: string; devices: object[]; withTokens?: boolean }): Promise<Answer> => {
    const { data, errors } = await endpoint.send(
      `mutation ($input: CreateDevicesInput!) {
        createDevices(input: $input) { devices { token device { key serial name approval hasToken } } } }`,
      { input: { modelCode: 'thermostat', ...input } },
    );
    const made = data as { createDevices: { devices: Answer['devices'] } | null } | null;
    return { devices: made?.createDevices?.devices ?? [], errors };
  };
}
