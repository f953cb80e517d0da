import { print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { parsedWith } from '../support/named-build.js';
import { recount } from '../support/recount.js';

const VERSIONS_OF_DUMPS = graphql(`
  query VersionsOfDumps($filter: CoredumpFilter) {
    coredumps(first: 50, filter: $filter) { nodes { id crashVersion firmwareVersion } }
    crashGroups(first: 10) { nodes { firmwareVersions } }
  }
`);
const CORRECT_VERSION = graphql(`
  mutation CorrectVersion($id: ID!, $version: String!) {
    updateFirmware(input: { id: $id, version: $version }) { firmware { version } }
  }
`);
const STATES = graphql(`
  query StatesOfGroups {
    crashGroups(first: 10) { nodes { id state isRegression activity(first: 9) { nodes { kind text } } } }
    alertRules(first: 9) { nodes { deliveries(first: 9) { nodes { event } } } }
  }
`);
const RESOLVE = graphql(`
  mutation ResolveInNext($id: ID!) {
    resolveCrashGroup(input: { id: $id, inVersion: "1.5.0" }) { crashGroup { state } }
  }
`);
const TELL_OF_REGRESSIONS = graphql(`
  mutation TellOfRegressions {
    createAlertRule(input: { name: "team", url: "https://example.org", format: GENERIC, onRegression: true }) {
      alertRule { id }
    }
  }
`);
const PARSE_SEVERAL = graphql(`
  mutation ParseSeveral($filter: CoredumpFilter!, $firmwareId: ID) {
    parseCoredumps(input: { filter: $filter, firmwareId: $firmwareId }) { count coredumpIds }
  }
`);

describe('the version of a crash', () => {
  it('is that of the build that the dump names, when the device was updated since', async () => {
    const { endpoint, device, build } = await aFleetWithBuild();
    const dump = await endpoint.fleet.aDump(device, { firmwareVersion: '1.5.0' });
    const before = await shown(endpoint);

    await parsedWith(endpoint, dump, { build });

    expect(before).toEqual({ dumps: [['1.5.0', '1.5.0']], groups: [] });
    expect(await shown(endpoint)).toEqual({ dumps: [['1.4.0', '1.5.0']], groups: [['1.4.0']] });
    expect((await shown(endpoint, { crashVersion: ['1.4.0'] })).dumps).toHaveLength(1);
    expect((await shown(endpoint, { crashVersion: ['1.5.0'] })).dumps).toHaveLength(0);
    expect((await shown(endpoint, { firmwareVersion: ['1.5.0'] })).dumps).toHaveLength(1);
    expect((await shown(endpoint, { search: '1.4.0' })).dumps).toHaveLength(1);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('is known after the first look, before the parse ends', async () => {
    const { endpoint, device, build } = await aFleetWithBuild();
    const { id } = await endpoint.fleet.aDump(device, { firmwareVersion: '1.5.0' });
    const [task] = await endpoint.state.tasksOf([id]);
    if (task === undefined) throw new Error('the dump does not wait');
    const hold = endpoint.state.hold(task);
    await endpoint.state.begin(hold, 3);

    const { elfSha256, version: crashVersion } = build;
    await endpoint.state.noteLook(hold, {
      appElfSha256: elfSha256,
      dumpChip: 'esp32c3',
      kind: null,
      crashVersion,
    });
    const whileParsing = await shown(endpoint);
    await endpoint.state.finish(hold, {
      ...{ status: 'ERROR', errorKind: 'failed', text: { output: 'failed', report: null } },
      ...{ firmwareId: null, appElfSha256: null, dumpChip: null, kind: null },
    });

    expect(whileParsing.dumps).toEqual([['1.4.0', '1.5.0']]);
    expect((await shown(endpoint)).dumps).toEqual([['1.4.0', '1.5.0']]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('follows a build whose version is corrected, with all that was counted', async () => {
    const { endpoint, device, build } = await aFleetWithBuild();
    const dumps = [
      await endpoint.fleet.aDump(device, { firmwareVersion: '1.4.0' }),
      await endpoint.fleet.aDump(device, { firmwareVersion: '1.5.0' }),
    ];
    for (const dump of dumps) await parsedWith(endpoint, dump, { build });
    const other = await endpoint.fleet.aDump(device, { firmwareVersion: '1.4.0' });
    await parsedWith(endpoint, other);

    await endpoint.ask(CORRECT_VERSION, { id: build.globalId, version: '1.4.1' });

    expect(await shown(endpoint)).toEqual({
      dumps: [
        ['1.4.0', '1.4.0'],
        ['1.4.1', '1.5.0'],
        ['1.4.1', '1.4.0'],
      ],
      groups: [['1.4.1', '1.4.0']],
    });
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('opens a resolved group again where it is corrected to a later one, and tells of it', async () => {
    const { endpoint, device, build } = await aFleetWithBuild();
    const crashed = async () => {
      const dump = { firmwareVersion: '1.4.0', uploadedAt: new Date(Date.now() + 1_000) };
      await parsedWith(endpoint, await endpoint.fleet.aDump(device, dump), { build });
    };
    await crashed();
    const [group] = (await endpoint.ask(STATES, {})).crashGroups.nodes;
    await endpoint.ask(RESOLVE, { id: group?.id ?? '' });
    await endpoint.ask(TELL_OF_REGRESSIONS, {});
    await crashed();
    const before = await endpoint.ask(STATES, {});

    await endpoint.ask(CORRECT_VERSION, { id: build.globalId, version: '1.5.0' });

    expect(before.crashGroups.nodes).toMatchObject([{ state: 'RESOLVED' }]);
    expect(await endpoint.ask(STATES, {})).toMatchObject({
      crashGroups: {
        nodes: [
          {
            ...{ state: 'OPEN', isRegression: true },
            activity: {
              nodes: [
                { kind: 'REGRESSED', text: '1.5.0' },
                { kind: 'RESOLVED', text: '1.5.0' },
              ],
            },
          },
        ],
      },
      alertRules: { nodes: [{ deliveries: { nodes: [{ event: 'REGRESSION' }] } }] },
    });
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('stays what the device reported where the dump names a build that nobody has', async () => {
    const { endpoint, device } = await aFleetWithBuild();
    const dump = await endpoint.fleet.aDump(device, { firmwareVersion: '1.5.0' });

    await parsedWith(endpoint, dump, { appElfSha256: 'feedfeed', errorKind: 'missing_firmware' });

    expect((await shown(endpoint)).dumps).toEqual([['1.5.0', '1.5.0']]);
  });
});

describe('reading several dumps with a chosen build', () => {
  it('gives dumps that name none its version, until they find their own build again', async () => {
    const { endpoint, device, build } = await aFleetWithBuild();
    const dump = await endpoint.fleet.aDump(device, { firmwareVersion: '1.5.0' });
    await parsedWith(endpoint, dump);
    const filter = { crashVersion: ['1.5.0'] };

    const answer = await endpoint.ask(PARSE_SEVERAL, { filter, firmwareId: build.globalId });
    await parsedWith(endpoint, dump, { build, appElfSha256: null });
    const chosen = await shown(endpoint);
    const { coredumpIds } = answer.parseCoredumps;
    await endpoint.ask(PARSE_SEVERAL, { filter: { id: coredumpIds }, firmwareId: null });
    await parsedWith(endpoint, dump);

    expect(answer).toEqual({ parseCoredumps: { count: 1, coredumpIds: [dump.globalId] } });
    expect(chosen).toEqual({ dumps: [['1.4.0', '1.5.0']], groups: [['1.4.0']] });
    expect(await shown(endpoint)).toEqual({ dumps: [['1.5.0', '1.5.0']], groups: [['1.5.0']] });
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('refuses a build for another chip by name, and changes nothing', async () => {
    const { endpoint, device, build } = await aFleetWithBuild();
    const dump = await endpoint.fleet.aDump(device, { firmwareVersion: '1.5.0' });
    await parsedWith(endpoint, dump, { dumpChip: 'esp32s3' });

    const { errors } = await endpoint.send(print(PARSE_SEVERAL), {
      filter: { crashVersion: ['1.5.0'] },
      firmwareId: build.globalId,
    });

    expect(errors).toMatchObject([
      {
        message: expect.stringContaining(
          'The build is for the chip esp32c3, 1 of the dumps is from esp32s3: leave these out',
        ),
        extensions: { code: 'BAD_USER_INPUT', field: 'input.firmwareId' },
      },
    ]);
    expect(await endpoint.coredumps.get(dump.id)).toMatchObject({
      ...{ parseStatus: 'PARSED', chosenFirmwareId: null },
    });
  });

  it.each([
    ['an empty filter', {}, 'The filter is empty'],
    ['a text without a word', { search: ' ' }, 'The filter is empty'],
  ])('refuses %s', async (_, filter, message) => {
    const { endpoint } = await aFleetWithBuild();

    const { errors } = await endpoint.send(print(PARSE_SEVERAL), { filter, firmwareId: null });

    expect(errors).toMatchObject([
      { message: expect.stringContaining(message), extensions: { field: 'input.filter' } },
    ]);
  });
});

async function aFleetWithBuild() {
  const endpoint = await aGraphQLEndpoint();
  const model = await endpoint.fleet.aModel();
  const device = await endpoint.fleet.aDevice(model);
  const build = await endpoint.fleet.aFirmware(model, { version: '1.4.0', elfSha256: 'ab'.repeat(32) });
  return { endpoint, model, device, build };
}

/** Of each dump, the newest first: the version that crashed and the reported one; and the versions of each group. */
async function shown(endpoint: GraphQLEndpoint, filter: object | null = null) {
  const { coredumps, crashGroups } = await endpoint.ask(VERSIONS_OF_DUMPS, { filter });
  return {
    dumps: coredumps.nodes.map(({ crashVersion, firmwareVersion }) => [crashVersion, firmwareVersion]),
    groups: crashGroups.nodes.map(({ firmwareVersions }) => firmwareVersions),
  };
}
