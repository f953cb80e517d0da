import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually } from '../support/app.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { uploadUntilRefused } from '../support/senders.js';

const DELETE = 'mutation ($input: DeleteCoredumpsInput!) { deleteCoredumps(input: $input) { count } }';

describe('dumps that are deleted by a filter', () => {
  it('go, row and file, of all devices; others stay, and crashes stay counted', async () => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint, 3);

    const { data } = await endpoint.send(DELETE, { input: { filter: { firmwareVersion: ['old'] } } });

    expect(data).toEqual({ deleteCoredumps: { count: 6 } });
    const kept = await endpoint.db.coredump.findMany();
    expect(kept.map(({ firmwareVersion }) => firmwareVersion)).toEqual(Array(6).fill('new'));
    expect((await endpoint.storedDumps()).every((name) => name.includes('new'))).toBe(true);
    expect(await endpoint.storedDumps()).toHaveLength(6);
    const counted = await endpoint.db.crashTally.findMany({
      where: { signatureId: 0, unit: 'DAY', firmwareVersion: '', modelId: 0 },
    });
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(6);
  });

  it('are noted batch by batch, with the filter', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    await endpoint.db.coredump.createMany({
      data: Array.from({ length: 450 }, (_, index) => ({
        deviceId: device.id,
        filename: `${index}.dmp`,
        chip: 'esp32c3',
        firmwareVersion: '1.0.0',
        crashVersion: '1.0.0',
        size: 1,
        sha256: `${index}`,
        uploadedAt: new Date(),
        parseStatus: 'ERROR',
      })),
    });

    const { data } = await endpoint.send(DELETE, { input: { filter: { chip: ['esp32c3'] } } });
    const again = await endpoint.send(DELETE, { input: { filter: { chip: ['esp32c3'] } } });

    expect([data, again.data]).toEqual([
      { deleteCoredumps: { count: 450 } },
      { deleteCoredumps: { count: 0 } },
    ]);
    const events = await endpoint.db.auditEvent.findMany({ orderBy: { id: 'asc' } });
    expect(events.map(({ action, target }) => [action, target])).toEqual(
      ['200', '200', '50', '0'].map((count) => [
        'deleteCoredumps',
        `${count} core dumps of {"chip":["esp32c3"]}`,
      ]),
    );
  });

  it.each([
    ['an empty filter', { filter: {} }, 'empty'],
    ['a filter of nulls', { filter: { chip: null, search: null } }, 'empty'],
    ['a search without a word', { filter: { search: '  ' } }, 'empty'],
    ['nothing', {}, 'exactly one of "deviceId" and "filter"'],
    ['nulls', { deviceId: null, filter: null }, 'exactly one of "deviceId" and "filter"'],
    ['both', { deviceId: 'RGV2aWNlOjE=', filter: { chip: ['esp32c3'] } }, 'exactly one of'],
  ])('need a condition: %s deletes nothing', async (_, input, message) => {
    const endpoint = await aGraphQLEndpoint();
    await fill(endpoint, 1);

    const { errors } = await endpoint.send(DELETE, { input });

    expect(errors).toMatchObject([
      {
        message: expect.stringContaining(message),
        extensions: { code: 'BAD_USER_INPUT', field: 'input.filter' },
      },
    ]);
    expect(await endpoint.db.coredump.count()).toBe(4);
  });

  it('take their files with them while devices upload, and later dumps stay', async () => {
    const app = await aServer({ MAX_COREDUMPS: '1000' });
    await aDevice(app);
    const rowCount = async () => {
      const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
        '{ coredumps { totalCount } }',
      );
      return coredumps.totalCount;
    };
    const files = async () =>
      (await readdir(app.config.coredumpsDir, { recursive: true })).filter((name) => name.endsWith('.dmp'));
    let isOver = false;
    const uploading = uploadUntilRefused([app], () => isOver, 4);
    await eventually(async () => (await rowCount()) > 20, 'some dumps are there');

    for (let round = 0; round < 3; round++) {
      await app.graphql(DELETE, { input: { filter: { chip: ['esp32c3'] } } });
    }
    isOver = true;
    await uploading;

    await eventually(async () => (await files()).length === (await rowCount()), 'a file for each row');
  });
});

/** Two devices, each with `each` dumps of version "old" and as many of "new". */
async function fill({ fleet, putFile }: GraphQLEndpoint, each: number): Promise<void> {
  const model = await fleet.aModel();
  for (const key of ['one', 'two']) {
    const device = await fleet.aDevice(model, { key });
    for (const firmwareVersion of ['old', 'new']) {
      for (let number = 0; number < each; number++) {
        const filename = `${firmwareVersion}${number}.dmp`;
        await putFile(device, await fleet.aDump(device, { filename, firmwareVersion }));
      }
    }
  }
}
