import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import type { CoredumpFilter } from '../generated/graphql.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { aSmallFleet, LIST_COREDUMPS, ONE_COREDUMP } from '../support/small-fleet.js';

const LIST_OF_DEVICE = graphql(`
  query ListCoredumpsOfDevice($key: String!, $filter: CoredumpFilter) {
    device(key: $key) { coredumps(filter: $filter) { totalCount nodes { filename } } }
  }
`);

const OF_DEVICE = graphql(`
  query CoredumpOfDevice($key: String!, $id: ID!) { device(key: $key) { coredump(id: $id) { id } } }
`);

const LAST = graphql(`
  query LastCoredump($key: String!) { device(key: $key) { coredumpCount lastCoredump { filename } } }
`);

const NODE = graphql(`
  query CoredumpNode($id: ID!) { node(id: $id) { __typename id ... on Coredump { filename parsedOutput } } }
`);

const REPORT = {
  reason: 'LoadProhibited at 0x00000010',
  chip: 'esp32s3',
  chipRevision: 2,
  inInterrupt: true,
  crashedTask: 'main',
  appElfSha256: 'abcdef01',
  elfMatches: true,
  format: 'ELF SHA256 v2.1',
  checksum: 'ok',
  warnings: ['the stack of task IDLE is cut'],
  registers: [{ name: 'pc', value: '0x42009351' }],
  tasks: [
    {
      name: 'main',
      tcb: '0x3fc8ea9c',
      crashed: true,
      priority: 1,
      state: 'running',
      stackUsed: 640,
      stackFree: 2944,
      stackNeverUsed: 512,
      stackCorrupted: false,
      backtraceEnd: 'previous frame inner to this frame',
      frames: [
        {
          index: 0,
          pc: '0x42009351',
          function: 'sensor_read',
          file: 'sensor.c',
          line: 88,
          inlined: false,
          trust: 'cfi',
          atLineStart: false,
          arguments: [{ name: 'sensor', value: '0x0' }],
        },
      ],
      interruptedFrames: [{ index: 0, pc: '0x42001234', function: 'idle' }],
    },
  ],
};

const [TASK] = REPORT.tasks;
/** Closed sets are enums in GraphQL, and warnings objects. */
const SHOWN = {
  ...REPORT,
  checksum: 'OK',
  warnings: [{ code: 'OTHER', message: 'the stack of task IDLE is cut' }],
  tasks: [{ ...TASK, state: 'RUNNING', frames: [{ ...TASK?.frames[0], trust: 'CFI' }] }],
};

describe('a core dump', () => {
  it('tells everything of itself, its device, its build and its report', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    const device = await endpoint.fleet.aDevice(model, { key: 'kitchen' });
    const firmware = await endpoint.fleet.aFirmware(model, { version: '1.2.3' });
    const dump = await endpoint.fleet.aDump(device, {
      filename: 'a.dmp',
      parseStatus: 'PARSED',
      firmwareId: firmware.id,
      uploadedAt: new Date('2026-02-11T15:30:00.5+01:00'),
      output: 'Crashed task: main',
      report: REPORT,
    });

    const { coredump } = await endpoint.ask(ONE_COREDUMP, { id: dump.globalId });

    expect(coredump).toEqual({
      id: dump.globalId,
      filename: 'a.dmp',
      chip: 'esp32c3',
      firmwareVersion: '1.0.0',
      size: 64,
      sha256: dump.sha256,
      parseStatus: 'PARSED',
      parseAttempts: 0,
      uploadedAt: '2026-02-11T14:30:00.500Z',
      parsedAt: null,
      downloadUrl: `/api/coredumps/${encodeURIComponent(dump.globalId)}/download`,
      parsedOutput: 'Crashed task: main',
      device: { id: device.globalId, key: 'kitchen' },
      firmware: { id: firmware.globalId, version: '1.2.3' },
      report: SHOWN,
    });
  });

  it('has neither text nor report nor build while it is PENDING', async () => {
    const endpoint = await aGraphQLEndpoint();
    const dump = await endpoint.fleet.aDump(await endpoint.fleet.aDevice(await endpoint.fleet.aModel()));

    const { coredump } = await endpoint.ask(ONE_COREDUMP, { id: dump.globalId });

    expect(coredump).toMatchObject({ parsedOutput: null, report: null, firmware: null, parsedAt: null });
  });

  it('shows its text also when the report is none that we know', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const dump = await endpoint.fleet.aDump(device, { output: 'text', report: { of: 'another kind' } });

    const { coredump } = await endpoint.ask(ONE_COREDUMP, { id: dump.globalId });

    expect(coredump).toMatchObject({ parsedOutput: 'text', report: null });
  });

  it('is a node', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const dump = await endpoint.fleet.aDump(device, { filename: 'a.dmp', output: 'text' });

    const { node } = await endpoint.ask(NODE, { id: dump.globalId });

    expect(node).toEqual({
      __typename: 'Coredump',
      id: dump.globalId,
      filename: 'a.dmp',
      parsedOutput: 'text',
    });
  });

  it.each([
    ['of no dump', Buffer.from('Coredump:999').toString('base64')],
    ['too large for a row', Buffer.from('Coredump:99999999999').toString('base64')],
    ['that is no number', Buffer.from('Coredump:1e3').toString('base64')],
  ])('is null for an id %s', async (_, id) => {
    const endpoint = await aGraphQLEndpoint();

    expect(await endpoint.ask(ONE_COREDUMP, { id })).toEqual({ coredump: null });
    expect(await endpoint.ask(NODE, { id })).toEqual({ node: null });
  });

  it('belongs to its device only', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    const mine = await endpoint.fleet.aDevice(model, { key: 'mine' });
    const other = await endpoint.fleet.aDevice(model, { key: 'other' });
    const id = (await endpoint.fleet.aDump(mine)).globalId;

    expect(await endpoint.ask(OF_DEVICE, { key: mine.key, id })).toEqual({ device: { coredump: { id } } });
    expect(await endpoint.ask(OF_DEVICE, { key: other.key, id })).toEqual({ device: { coredump: null } });
    expect(await endpoint.ask(OF_DEVICE, { key: mine.key, id: mine.globalId })).toEqual({
      device: { coredump: null },
    });
  });

  it('is its device’s last when its id is the highest, whatever the clock said', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel(), { key: 'dev' });
    await endpoint.fleet.aDump(device, {
      filename: 'first.dmp',
      uploadedAt: new Date('2030-01-01T00:00:00Z'),
    });
    await endpoint.fleet.aDump(device, {
      filename: 'last.dmp',
      uploadedAt: new Date('2020-01-01T00:00:00Z'),
    });

    const { device: answer } = await endpoint.ask(LAST, { key: 'dev' });

    expect(answer).toEqual({ coredumpCount: 2, lastCoredump: { filename: 'last.dmp' } });
  });
});

describe('a filter', () => {
  it.each<[string, CoredumpFilter, string[]]>([
    ['nothing', {}, ['d', 'c', 'b', 'a']],
    ['nulls as nothing', { chip: null, search: null, uploadedAfter: null }, ['d', 'c', 'b', 'a']],
    ['one status', { parseStatus: ['ERROR'] }, ['c']],
    ['one of several statuses', { parseStatus: ['ERROR', 'PENDING'] }, ['d', 'c']],
    ['a chip', { chip: ['esp32s3'] }, ['b']],
    ['a version', { firmwareVersion: ['2.0.0'] }, ['d', 'c']],
    ['a device', { deviceKey: ['kitchen'] }, ['b', 'a']],
    ['several devices', { deviceKey: ['kitchen', 'cellar', 'nobody'] }, ['d', 'c', 'b', 'a']],
    ['a model', { modelCode: ['pump'] }, ['d', 'c']],
    ['a crash’s fingerprint', { fingerprint: ['v1:0011223344556677'] }, ['a']],
    ['the empty list, which nothing is in', { chip: [] }, []],
    ['the time from which, inclusive', { uploadedAfter: '2026-01-03T00:00:00Z' }, ['d', 'c']],
    ['the time to which, exclusive', { uploadedBefore: '2026-01-03T00:00:00Z' }, ['b', 'a']],
    ['a time in another zone', { uploadedAfter: '2026-01-04T01:00:00+01:00' }, ['d']],
    ['all of what it says', { modelCode: ['pump'], parseStatus: ['PENDING'], chip: ['esp32c3'] }, ['d']],
    ['a word of the output', { search: 'loadprohibited' }, ['a']],
    ['a word of the file name', { search: 'B.DMP' }, ['b']],
    ['a word of the device’s name', { search: 'keller' }, ['d', 'c']],
    ['a word that the database cannot fold, as it is written', { search: 'Ärzte' }, ['d', 'c']],
    ['words that occur in different places', { search: '  pumpe   2.0  cellar ' }, ['d', 'c']],
    ['words that do not all occur', { search: 'kitchen 2.0' }, []],
    ['a percent sign as itself', { search: '100%' }, ['b']],
    ['an underscore as itself', { search: 'a_b' }, ['c']],
    ['a backslash as itself', { search: 'C:\\tmp' }, ['d']],
    ['a quote as itself', { search: "'; DROP TABLE" }, []],
  ])('finds by %s', async (_, filter, found) => {
    const endpoint = await aGraphQLEndpoint();
    await aSmallFleet(endpoint);

    const { coredumps } = await endpoint.ask(LIST_COREDUMPS, { filter });

    expect(coredumps.nodes.map(({ filename }) => filename)).toEqual(found.map((name) => `${name}.dmp`));
    expect(coredumps.totalCount).toBe(found.length);
  });

  it('works within a device as well', async () => {
    const endpoint = await aGraphQLEndpoint();
    await aSmallFleet(endpoint);
    const filter: CoredumpFilter = { parseStatus: ['ERROR'], search: 'a_b' };

    const { device } = await endpoint.ask(LIST_OF_DEVICE, { key: 'cellar', filter });

    expect(device?.coredumps).toEqual({ totalCount: 1, nodes: [{ filename: 'c.dmp' }] });
  });

  it.each([
    [{ search: 'x'.repeat(201) }, '200 characters'],
    [{ search: 'a b c d e f g h i j k' }, '10 words'],
    [{ uploadedAfter: '2026-01-03' }, 'RFC 3339'],
    [{ uploadedAfter: '2026-13-03T00:00:00Z' }, 'RFC 3339'],
    [{ uploadedAfter: 1767398400 }, 'RFC 3339'],
  ])('refuses %j', async (filter, message) => {
    const endpoint = await aGraphQLEndpoint();
    const query = 'query ($filter: CoredumpFilter) { coredumps(filter: $filter) { totalCount } }';

    const { errors } = await endpoint.send(query, { filter });

    expect(errors).toMatchObject([
      { message: expect.stringContaining(message), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });
});
