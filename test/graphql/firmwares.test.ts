import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import type { FirmwareFilter } from '../generated/graphql.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const FOUND = graphql(`
  query FoundFirmwares($filter: FirmwareFilter) {
    firmwares(filter: $filter) { totalCount nodes { version } }
    deviceModels { nodes { code firmwares(filter: $filter) { totalCount nodes { version } } } }
  }
`);

const ORDERED = graphql(`
  query OrderedFirmwares($orderBy: FirmwareOrder, $first: Int, $after: String) {
    firmwares(orderBy: $orderBy, first: $first, after: $after) {
      nodes { version } pageInfo { hasNextPage endCursor }
    }
    deviceModel(code: "pump") { firmwares(orderBy: $orderBy) { nodes { version } } }
  }
`);

const ONE = graphql(`query OneFirmware($id: ID!) { firmware(id: $id) { id version updatedAt } }`);

const WITH_DUMPS = graphql(`
  query FirmwaresWithDumps($filter: CoredumpFilter, $orderBy: CoredumpOrder) {
    firmwares(first: 200) {
      nodes { version coredumps(first: 2, filter: $filter, orderBy: $orderBy) { totalCount nodes { filename } } }
    }
  }
`);

const UPDATE = graphql(`
  mutation UpdateFirmware($id: ID!, $version: String) {
    updateFirmware(input: { id: $id, version: $version }) { firmware { version updatedAt uploadedAt } }
  }
`);

describe('a filter of builds', () => {
  it.each<[string, FirmwareFilter, string[]]>([
    ['nothing', {}, ['1.1.0', '1.0.0', '0.9.0']],
    ['nulls as nothing', { version: null, isLost: null }, ['1.1.0', '1.0.0', '0.9.0']],
    ['a model', { modelCode: ['pump'] }, ['1.0.0', '0.9.0']],
    ['versions', { version: ['1.1.0', '0.9.0'] }, ['1.1.0', '0.9.0']],
    ['a chip', { chip: ['esp32s3'] }, ['1.0.0']],
    ['first digits of the SHA-256, in any case', { elfSha256: ['ABCDEF01'] }, ['1.0.0']],
    ['whole SHA-256s', { elfSha256: ['1'.repeat(64), '2'.repeat(64)] }, ['1.1.0', '0.9.0']],
    ['the empty list', { elfSha256: [] }, []],
    ['the time from which, inclusive', { uploadedAfter: '2026-01-02T00:00:00Z' }, ['1.1.0', '1.0.0']],
    ['the time to which, exclusive', { uploadedBefore: '2026-01-02T00:00:00Z' }, ['0.9.0']],
    ['lost ELFs', { isLost: true }, ['0.9.0']],
    ['ELFs that are there', { isLost: false }, ['1.1.0', '1.0.0']],
    ['words of model and version', { search: 'PUMP 1.0' }, ['1.0.0']],
    ['a word of the SHA-256', { search: 'abcdef' }, ['1.0.0']],
  ])('finds by %s', async (_, filter, versions) => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint);

    const { firmwares, deviceModels } = await endpoint.ask(FOUND, { filter });

    expect(firmwares).toEqual({
      totalCount: versions.length,
      nodes: versions.map((version) => ({ version })),
    });
    const ofModels = deviceModels.nodes.flatMap((model) => model.firmwares.nodes);
    expect(new Set(ofModels)).toEqual(new Set(firmwares.nodes));
    expect(deviceModels.nodes.reduce((sum, model) => sum + model.firmwares.totalCount, 0)).toBe(
      versions.length,
    );
  });

  it.each([
    ['abcdef0', '8 to 64'],
    ['x'.repeat(8), 'hexadecimal'],
    ['a'.repeat(65), '8 to 64'],
  ])('refuses "%s" as a SHA-256', async (elfSha256, message) => {
    const endpoint = await aGraphQLEndpoint();

    const { errors } = await endpoint.send(
      'query ($filter: FirmwareFilter) { firmwares(filter: $filter) { totalCount } }',
      { filter: { elfSha256: [elfSha256] } },
    );

    expect(errors).toMatchObject([
      { message: expect.stringContaining(message), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });
});

describe('builds', () => {
  it('come in both directions, page by page', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint);
    const orderBy = { field: 'UPLOADED_AT', direction: 'ASC' } as const;

    const first = await endpoint.ask(ORDERED, { orderBy, first: 2 });
    const after = first.firmwares.pageInfo.endCursor ?? null;
    const second = await endpoint.ask(ORDERED, { orderBy, first: 2, after });
    const newest = await endpoint.ask(ORDERED, { first: 1 });

    expect(first.firmwares).toMatchObject({
      nodes: [{ version: '0.9.0' }, { version: '1.0.0' }],
      pageInfo: { hasNextPage: true },
    });
    expect(second.firmwares).toMatchObject({
      nodes: [{ version: '1.1.0' }],
      pageInfo: { hasNextPage: false },
    });
    expect(first.deviceModel?.firmwares.nodes).toEqual([{ version: '0.9.0' }, { version: '1.0.0' }]);
    expect(newest.firmwares.nodes).toEqual([{ version: '1.1.0' }]);
  });

  it('are found by their id, and nothing else is', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    const { globalId: id } = await endpoint.fleet.aFirmware(model, { version: '1.2.3' });

    expect(await endpoint.ask(ONE, { id })).toMatchObject({ firmware: { id, version: '1.2.3' } });
    expect(await endpoint.ask(ONE, { id: model.globalId })).toEqual({ firmware: null });
  });

  it('have their dumps in one statement, however many builds', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    const device = await endpoint.fleet.aDevice(model);
    for (const version of ['a', 'b', 'c']) {
      const { id: firmwareId } = await endpoint.fleet.aFirmware(model, { version });
      for (const number of [1, 2, 3]) {
        const parseStatus = number === 2 ? 'ERROR' : 'PARSED';
        await endpoint.fleet.aDump(device, { filename: `${version}${number}`, firmwareId, parseStatus });
      }
    }
    const filter = { parseStatus: ['PARSED' as const] };
    const orderBy = { field: 'UPLOADED_AT', direction: 'ASC' } as const;
    const named = (...names: string[]) => names.map((filename) => ({ filename }));

    const statements = await endpoint.statementsOf(async () => {
      const { firmwares } = await endpoint.ask(WITH_DUMPS, {});
      expect(firmwares.nodes).toEqual(
        ['c', 'b', 'a'].map((version) => ({
          version,
          coredumps: { totalCount: 3, nodes: named(`${version}3`, `${version}2`) },
        })),
      );
    });
    const filtered = await endpoint.ask(WITH_DUMPS, { filter, orderBy });

    // Builds, their dumps, and how many.
    expect(statements).toHaveLength(3);
    expect(filtered.firmwares.nodes[0]?.coredumps).toEqual({ totalCount: 2, nodes: named('c1', 'c3') });
  });
});

describe('a version that was given wrongly', () => {
  it('is corrected, and the dumps that wait for it are queued', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel({ code: 'thermostat' });
    const device = await endpoint.fleet.aDevice(model);
    const waiting = await endpoint.fleet.aDump(device, { firmwareVersion: '2.0.0', parseStatus: 'ERROR' });
    await endpoint.db.coredump.updateMany({ data: { parseErrorKind: 'missing_firmware' } });
    const { id } = await uploadFirmware(uploads(endpoint), { elf: aFirmwareElf({ version: '1.0.0' }) });

    const { updateFirmware } = await endpoint.ask(UPDATE, { id, version: '2.0.0' });

    const { version, updatedAt, uploadedAt } = updateFirmware.firmware;
    expect(version).toBe('2.0.0');
    expect(Date.parse(updatedAt)).toBeGreaterThanOrEqual(Date.parse(uploadedAt));
    expect(endpoint.queued).toMatchObject([{ coredumpId: waiting.id }]);
    expect(await endpoint.db.auditEvent.findMany({ where: { action: 'updateFirmware' } })).toMatchObject([
      { target: 'thermostat 1.0.0 → 2.0.0' },
    ]);
  });

  it.each([
    ['the same', '1.0.0'],
    ['none', null],
  ])('changes nothing where it is %s', async (_, version) => {
    const endpoint = await aGraphQLEndpoint();
    const { globalId: id } = await endpoint.fleet.aFirmware(await endpoint.fleet.aModel());

    const { updateFirmware } = await endpoint.ask(UPDATE, { id, version });

    expect(updateFirmware.firmware.version).toBe('1.0.0');
    expect(updateFirmware.firmware.updatedAt).toBe(updateFirmware.firmware.uploadedAt);
    expect(endpoint.queued).toEqual([]);
  });

  it.each([
    ['', 'cannot be a version'],
    ['x'.repeat(65), 'cannot be a version'],
    ['1 0', 'cannot be a version'],
  ])('is not corrected to "%s"', async (version, message) => {
    const endpoint = await aGraphQLEndpoint();
    const { globalId: id } = await endpoint.fleet.aFirmware(await endpoint.fleet.aModel());

    const { errors } = await endpoint.send(
      `mutation { updateFirmware(input: { id: "${id}", version: "${version}" }) { firmware { id } } }`,
    );

    expect(errors).toMatchObject([
      {
        message: expect.stringContaining(message),
        extensions: { code: 'BAD_USER_INPUT', field: 'input.version' },
      },
    ]);
    expect((await endpoint.ask(ONE, { id })).firmware?.version).toBe('1.0.0');
  });
});

/** Where `uploadFirmware` sends to. */
function uploads({ url }: GraphQLEndpoint) {
  return { url: url.replace(/\/graphql$/, '') };
}

/** Two builds of "pump", of which the first is lost, then one of "boiler". */
async function fill({ fleet, db }: GraphQLEndpoint): Promise<void> {
  const pump = await fleet.aModel({ code: 'pump' });
  const boiler = await fleet.aModel({ code: 'boiler' });
  const day = (number: number) => new Date(Date.UTC(2026, 0, number));
  const lost = await fleet.aFirmware(pump, {
    version: '0.9.0',
    elfSha256: '1'.repeat(64),
    uploadedAt: day(1),
  });
  const elfSha256 = 'abcdef01'.padEnd(64, '0');
  await fleet.aFirmware(pump, { version: '1.0.0', chip: 'esp32s3', elfSha256, uploadedAt: day(2) });
  await fleet.aFirmware(boiler, { version: '1.1.0', elfSha256: '2'.repeat(64), uploadedAt: day(3) });
  await db.lostElf.create({ data: { firmwareId: lost.id, noticedAt: day(4) } });
}
