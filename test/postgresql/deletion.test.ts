import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { aDevice, aServer, eventually, type TestApp } from '../support/app.js';
import { uploadUntilRefused } from '../support/senders.js';

it('a device that is deleted while it uploads to two servers leaves no row and no file', async () => {
  const one = await aServer({ MAX_COREDUMPS: '1000' });
  const other = await one.another();

  for (let round = 0; round < 3; round++) {
    const device = await aDevice(one);
    const uploading = uploadUntilRefused([one, other]);
    await eventually(async () => (await rowCount(one)) > 0, 'some dumps are there');

    await (round % 2 === 0 ? one : other).graphql(
      'mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }',
      {
        id: device.id,
      },
    );

    const statuses = await uploading;
    expect(statuses.filter((status) => status !== 201 && status !== 404)).toEqual([]);
    await eventually(
      async () => !(await readdir(one.config.coredumpsDir)).includes('dev1'),
      'no file and no folder is left',
    );
    expect(await rowCount(other)).toBe(0);
  }
});

async function rowCount(app: TestApp): Promise<number> {
  const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
    '{ coredumps { totalCount } }',
  );
  return coredumps.totalCount;
}
