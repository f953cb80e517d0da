import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const KINDS = graphql(`
  query SearchKinds($query: String!, $first: Int! = 5) {
    search(query: $query) {
      kinds(first: $first) {
        kind count hasMore
        hits {
          node {
            __typename
            ... on Device { key }
            ... on DeviceModel { code }
            ... on Firmware { version }
            ... on CrashGroup { title }
            ... on Coredump { filename }
          }
          snippet { text isMatch }
        }
      }
    }
  }
`);

const SUGGEST = graphql(`
  query Suggest($field: SuggestedField!, $text: String, $modelCode: String) {
    suggestions(field: $field, text: $text, modelCode: $modelCode) { value label }
  }
`);

const OUTPUT = `
reason: LoadProhibited at 0x00000010
#0  0x42009351 in sensor_read (bus=0x0) at /builds/app/main/sensor.c:88
`;

async function aWorld() {
  const endpoint = await aGraphQLEndpoint();
  const { fleet, db } = endpoint;
  const model = await fleet.aModel({ code: 'thermostat', name: 'Thermostat of 2026' });
  const device = await fleet.aDevice(model, { key: 'a4cf12', name: 'Kitchen 100%_"o\'clock"' });
  await db.device.update({ where: { id: device.id }, data: { serial: 'SN-0001:A' } });
  const build = await fleet.aFirmware(model, { version: '1.4.0', elfSha256: 'beefcafe'.padEnd(64, '0') });
  await db.firmware.update({ where: { id: build.id }, data: { revision: 'deadbeef01' } });
  const { dump } = await aCrash(endpoint, device, {
    place: 'sensor_read',
    fingerprint: 'v2:0011223344556677',
    version: '1.4.0',
    output: OUTPUT,
  });
  const { filename } = await db.coredump.update({
    where: { id: dump.id },
    data: { filename: 'coredump_20260211T143000_123456Z.dmp', sha256: 'facade'.padEnd(64, '1') },
  });
  const [group] = await db.crashGroup.findMany();
  const tag = await db.tag.create({ data: { name: 'field-trial', color: 'BLUE' } });
  await db.groupTag.create({ data: { groupId: group?.id ?? 0, tagId: tag.id, byRule: false } });
  return { endpoint, filename, title: group?.title };
}

async function found(endpoint: GraphQLEndpoint, query: string) {
  const { kinds } = (await endpoint.ask(KINDS, { query })).search;
  return kinds.map(({ kind, count, hits: [first] }) => ({ kind, count, node: first?.node }));
}

describe('a search over all kinds', () => {
  it('finds what the page shows, each by its kind', async () => {
    const { endpoint, filename, title } = await aWorld();
    const device = { kind: 'DEVICE', count: 1, node: { __typename: 'Device', key: 'a4cf12' } };
    const model = { kind: 'DEVICE_MODEL', count: 1, node: { __typename: 'DeviceModel', code: 'thermostat' } };
    const build = { kind: 'FIRMWARE', count: 1, node: { __typename: 'Firmware', version: '1.4.0' } };
    const group = { kind: 'CRASH_GROUP', count: 1, node: { __typename: 'CrashGroup', title } };
    const dump = { kind: 'COREDUMP', count: 1, node: { __typename: 'Coredump', filename } };

    expect(await found(endpoint, 'A4CF12')).toEqual([device]);
    expect(await found(endpoint, 'a4c')).toEqual([device]);
    expect(await found(endpoint, 'SN-0001:A')).toEqual([device]);
    expect(await found(endpoint, 'sn-0001')).toEqual([device]);
    expect(await found(endpoint, 'kitchen 100%')).toEqual([device]);
    expect(await found(endpoint, 'thermo')).toEqual([model]);
    expect(await found(endpoint, 'of 2026')).toEqual([model]);
    expect(await found(endpoint, '1.4')).toEqual([build]);
    expect(await found(endpoint, 'BEEFcafe')).toEqual([build]);
    expect(await found(endpoint, 'deadbeef')).toEqual([build]);
    expect(await found(endpoint, 'field-trial')).toEqual([group]);
    for (const query of ['0011223344', 'v2:0011223344', '0011223344556677'])
      expect(await found(endpoint, query), query).toEqual([group, dump]);
    for (const query of [filename, '20260211T1430', 'coredump_2026', 'facade', '0x42009351', '0x4200'])
      expect(await found(endpoint, query), query).toEqual([dump]);
    // As an engineer writes it, and as reports do.
    expect(await found(endpoint, '0x10')).toEqual([dump]);
    expect(await found(endpoint, 'sensor_rea')).toEqual([group, dump]);
  });

  it('shows where a text matches, an address too', async () => {
    const { endpoint } = await aWorld();

    const { kinds } = (await endpoint.ask(KINDS, { query: '0x10' })).search;

    const parts = kinds[0]?.hits[0]?.snippet ?? [];
    expect(parts.filter(({ isMatch }) => isMatch)).toEqual([{ text: '0x00000010', isMatch: true }]);
  });

  it('counts up to 100 and says that there are more', async () => {
    const { fleet, ask } = await aGraphQLEndpoint();
    const model = await fleet.aModel({ code: 'pump' });
    for (let n = 0; n < 101; n += 1) await fleet.aDevice(model, { key: `lamp${n}` });

    const { kinds } = (await ask(KINDS, { query: 'lamp', first: 2 })).search;

    expect(kinds).toMatchObject([{ kind: 'DEVICE', count: 100, hasMore: true }]);
    expect(kinds[0]?.hits.map(({ node }) => node)).toEqual([
      { __typename: 'Device', key: 'lamp100' },
      { __typename: 'Device', key: 'lamp99' },
    ]);
    const { kinds: exact } = (await ask(KINDS, { query: 'lamp1', first: 2 })).search;
    expect(exact[0]).toMatchObject({ count: 12, hasMore: false });
    // The exact key first.
    expect(exact[0]?.hits[0]?.node).toEqual({ __typename: 'Device', key: 'lamp1' });
  });

  it.each([
    '100%',
    '_"o\'clock',
    'x%',
    'a_c',
    '\'; DROP TABLE "Device" --',
    'NEAR(a b) OR *',
    'zz:* & !zy',
    `${'y'.repeat(200)}`,
    'é ß 中文',
  ])('takes hostile text as it is: %s', async (query) => {
    const { endpoint } = await aWorld();

    const kinds = await found(endpoint, query);

    expect(kinds.map(({ kind }) => kind)).toEqual(/^100%$|o'clock/.test(query) ? ['DEVICE'] : []);
  });

  it.each([
    ['a\0b', 'U+0000'],
    ['%', 'letter or digit'],
    ['y'.repeat(201), '200'],
  ])('refuses %j', async (query, words) => {
    const endpoint = await aGraphQLEndpoint();

    const { errors } = await endpoint.send(`{ search(query: ${JSON.stringify(query)}) { kinds { count } } }`);

    expect(errors[0]?.message).toContain(words);
  });
});

describe('suggestions for filters', () => {
  it('come from what crashed, the most frequent first, narrowed by what was typed', async () => {
    const endpoint = await aGraphQLEndpoint();
    const thermostat = await endpoint.fleet.aModel({ code: 'thermostat', name: 'Warm' });
    const pump = await endpoint.fleet.aModel({ code: 'pump', name: 'Wet' });
    const kitchen = await endpoint.fleet.aDevice(thermostat, { key: 'kitchen', name: 'Küche' });
    const cellar = await endpoint.fleet.aDevice(pump, { key: 'cellar' });
    for (const version of ['1.0.0', '1.1.0', '1.1.0', '2.0.0', '2.0.0', '2.0.0'])
      await aCrash(endpoint, kitchen, { version });
    await aCrash(endpoint, cellar, {
      version: '1.0.0',
      chip: 'esp32s3',
      reason: 'abort() was called at PC 0x1',
    });
    const values = async (variables: Parameters<typeof endpoint.ask<unknown, never>>[1] | object) =>
      (await endpoint.ask(SUGGEST, variables as never)).suggestions.map(({ value }) => value);

    expect(await values({ field: 'VERSION' })).toEqual(['2.0.0', '1.0.0', '1.1.0']);
    expect(await values({ field: 'VERSION', text: '1.' })).toEqual(['1.0.0', '1.1.0']);
    expect(await values({ field: 'VERSION', modelCode: 'pump' })).toEqual(['1.0.0']);
    expect(await values({ field: 'VERSION', text: '%' })).toEqual([]);
    expect(await values({ field: 'MODEL' })).toEqual(['thermostat', 'pump']);
    expect(await values({ field: 'MODEL', text: 'wet' })).toEqual(['pump']);
    expect(await values({ field: 'DEVICE', text: 'küche' })).toEqual(['kitchen']);
    expect(await values({ field: 'DEVICE', modelCode: 'pump' })).toEqual(['cellar']);
    expect(await values({ field: 'TASK' })).toEqual(['main']);
    expect(await values({ field: 'CHIP', text: 's3' })).toEqual(['esp32s3']);
    expect((await values({ field: 'REASON' }))[0]).toBe('LoadProhibited');
    expect(await values({ field: 'ASSIGNEE' })).toEqual([]);
  });
});
