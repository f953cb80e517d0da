import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const UPDATE = graphql(`
  mutation RenameDeviceModel($input: UpdateDeviceModelInput!) {
    updateDeviceModel(input: $input) { deviceModel { code name createdAt updatedAt } }
  }
`);
const DELETE = graphql(`
  mutation DeleteDeviceModel($id: ID!) { deleteDeviceModel(input: { id: $id }) { deletedDeviceModelId } }
`);
const PRIVACY = graphql(`
  mutation PrivacyOfModel($input: SetModelPrivacyInput!) {
    setModelPrivacy(input: $input) { deviceModel { updatedAt } }
  }
`);
const MODELS = graphql(`
  query ListedModels($filter: DeviceModelFilter, $orderBy: DeviceModelOrder) {
    deviceModels(filter: $filter, orderBy: $orderBy) { totalCount nodes { code } }
  }
`);
const RULE = graphql(`
  mutation RuleOfModel($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { alertRule { id } } }
`);
const RULES = graphql(`
  query RulesOfModels { alertRules { nodes { name enabled model { code } createdAt updatedAt } } }
`);
const GROUP = graphql(`
  query GroupOfDeletedModel($id: ID!) {
    crashGroup(id: $id) { count variants { count model { code } } models { code } }
  }
`);
const AUDIT = graphql(`query AuditOfModels { auditEvents { nodes { action target } } }`);

const REFUSED = 'mutation ($id: ID!) { deleteDeviceModel(input: { id: $id }) { deletedDeviceModelId } }';

describe('a device model', () => {
  it('is renamed; its code stays, and the change is dated', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel({ code: 'lamp', name: 'Lamp' });

    const { updateDeviceModel } = await endpoint.ask(UPDATE, {
      input: { id: model.globalId, name: 'Lantern' },
    });

    const { code, name, createdAt, updatedAt } = updateDeviceModel.deviceModel;
    expect({ code, name, createdAt }).toEqual({
      code: 'lamp',
      name: 'Lantern',
      createdAt: model.createdAt.toISOString(),
    });
    expect(Date.parse(String(updatedAt))).toBeGreaterThan(Date.parse(String(createdAt)));
    expect((await endpoint.ask(AUDIT, {})).auditEvents.nodes).toEqual([
      { action: 'updateDeviceModel', target: 'lamp' },
    ]);
  });

  it.each(['', '   ', 'x'.repeat(201), 'two\nlines'])('keeps its name instead of %j', async (name) => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();

    const { errors } = await endpoint.send(
      'mutation ($input: UpdateDeviceModelInput!) { updateDeviceModel(input: $input) { deviceModel { id } } }',
      { input: { id: model.globalId, name } },
    );

    expect(errors[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect((await endpoint.db.deviceModel.findFirst())?.name).toBe('Model');
  });

  it('dates a change of its privacy settings', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { createdAt } = await endpoint.fleet.aModel({ code: 'lamp' });

    const { setModelPrivacy } = await endpoint.ask(PRIVACY, {
      input: { modelCode: 'lamp', rawForAdminsOnly: true },
    });

    expect(Date.parse(String(setModelPrivacy.deviceModel.updatedAt))).toBeGreaterThan(createdAt.getTime());
  });

  it.each([
    [{}, null, ['zoo', 'lamp', 'pump']],
    [{ search: 'GARDEN' }, null, ['zoo', 'pump']],
    [{ search: 'amp' }, null, ['lamp']],
    [{}, { field: 'CODE' as const, direction: 'ASC' as const }, ['lamp', 'pump', 'zoo']],
    [{}, { field: 'NAME' as const }, ['lamp', 'zoo', 'pump']],
  ])('is listed by %j and %j', async (filter, orderBy, codes) => {
    const endpoint = await aGraphQLEndpoint();
    await endpoint.fleet.aModel({ code: 'pump', name: 'garden Pump' });
    await endpoint.fleet.aModel({ code: 'lamp', name: 'Lamp' });
    await endpoint.fleet.aModel({ code: 'zoo', name: 'Garden tool' });

    const { deviceModels } = await endpoint.ask(MODELS, { filter, orderBy });

    expect(deviceModels.nodes.map(({ code }) => code)).toEqual(codes);
    expect(deviceModels.totalCount).toBe(codes.length);
  });
});

describe('deleting a device model', () => {
  it('is refused while it has devices, saying how many; nothing is changed', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel({ code: 'lamp' });
    await endpoint.fleet.aFirmware(model);
    await endpoint.fleet.aDevice(model);
    await endpoint.fleet.aDevice(model);

    const { errors } = await endpoint.send(REFUSED, { id: model.globalId });

    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('"lamp" still has 2 devices'),
      extensions: { code: 'CONFLICT' },
    });
    expect(await endpoint.db.firmware.count()).toBe(1);
    expect(await endpoint.db.auditEvent.count()).toBe(0);
  });

  it('takes its builds, its privacy settings and its name with it, and makes its code free', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel({ code: 'lamp' });
    const firmware = await endpoint.fleet.aFirmware(model);
    const moved = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const dump = await endpoint.fleet.aDump(moved, { firmwareId: firmware.id, output: 'read' });
    await endpoint.ask(PRIVACY, { input: { modelCode: 'lamp', keepRawDays: 3 } });
    const elf = await endpoint.putElf(model, firmware);

    const { deleteDeviceModel } = await endpoint.ask(DELETE, { id: model.globalId });

    expect(deleteDeviceModel.deletedDeviceModelId).toBe(model.globalId);
    expect(await endpoint.db.deviceModel.count({ where: { code: 'lamp' } })).toBe(0);
    expect([await endpoint.db.firmware.count(), await endpoint.db.modelPrivacy.count()]).toEqual([0, 0]);
    expect(await elf.isThere()).toBe(false);
    expect(
      await endpoint.db.coredump.findUnique({ where: { id: dump.id }, include: { text: true } }),
    ).toMatchObject({
      firmwareId: null,
      text: { output: 'read' },
    });
    expect((await endpoint.ask(AUDIT, {})).auditEvents.nodes.slice(0, 2)).toEqual([
      { action: 'deleteDeviceModel', target: 'lamp' },
      { action: 'deleteFirmware', target: '1 of lamp' },
    ]);
    await endpoint.fleet.aModel({ code: 'lamp' });
  });

  it('switches its alert rules off instead of letting them match every model', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel({ code: 'lamp' });
    for (const modelCode of ['lamp', null]) {
      const rule = {
        name: modelCode ?? 'all',
        url: 'https://example.com/',
        format: 'GENERIC' as const,
        modelCode,
      };
      await endpoint.ask(RULE, { input: rule });
    }

    await endpoint.ask(DELETE, { id: model.globalId });

    expect((await endpoint.ask(RULES, {})).alertRules.nodes).toMatchObject([
      { name: 'all', enabled: true, model: null },
      { name: 'lamp', enabled: false, model: null },
    ]);
  });

  it('leaves its crashes counted, without a name', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel({ code: 'lamp' });
    const device = await endpoint.fleet.aDevice(model);
    const { groupId } = await aCrash(endpoint, device);
    await endpoint.devices.deleteDevice(device.id);

    await endpoint.ask(DELETE, { id: model.globalId });

    expect((await endpoint.ask(GROUP, { id: String(groupId) })).crashGroup).toEqual({
      count: 1,
      variants: [{ count: 1, model: null }],
      models: [],
    });
  });

  it('never leaves a device without its model, whoever is first', async () => {
    const endpoint = await aGraphQLEndpoint();
    await Promise.all(Array.from({ length: 10 }, (_, index) => race(endpoint, `model_${index}`)));

    const devices = await endpoint.db.device.findMany({ include: { model: true } });
    expect(devices.every(({ model }) => model !== null)).toBe(true);
    expect(await endpoint.db.deviceModel.count()).toBe(devices.length);
  });

  it.each(['Device:1', 'DeviceModel:99', 'x'])('is NOT_FOUND for %s', async (id) => {
    const { send } = await aGraphQLEndpoint();

    const { errors } = await send(REFUSED, { id: Buffer.from(id).toString('base64') });

    expect(errors[0]?.extensions.code).toBe('NOT_FOUND');
  });
});

/** A device is created while its model is deleted: one of the two is refused. */
async function race(endpoint: GraphQLEndpoint, code: string): Promise<void> {
  const model = await endpoint.fleet.aModel({ code });
  const outcomes = await Promise.all([
    endpoint.send(REFUSED, { id: model.globalId }),
    endpoint.send(
      `mutation { createDevice(input: { modelCode: "${code}", key: "${code.replace('_', '')}" }) { token } }`,
    ),
  ]);
  const codes = outcomes.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code));
  expect(codes).toHaveLength(1);
  expect(['CONFLICT', 'NOT_FOUND']).toContain(codes[0]);
}
