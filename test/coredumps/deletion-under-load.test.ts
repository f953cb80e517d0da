import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually, type TestApp } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { type S3Environment, useS3Server } from '../support/s3-server.js';
import { uploadUntilRefused } from '../support/senders.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

const ROUNDS = 3;

const s3 = useS3Server();

describe('a device that is deleted while it uploads', () => {
  it('leaves no row, no file and no folder', async () => {
    const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'read' }));
    const app = await aServer({ ...sidecar.environment, MAX_COREDUMPS: '1000' });

    for (let round = 0; round < ROUNDS; round++) {
      await deleteWhileUploading([app]);
      await eventually(async () => (await filesOf(app)).length === 0, 'no file is left', { limitMs: 10_000 });
    }

    expect(await rowCount(app)).toBe(0);
    await eventually(
      async () => !(await readdir(app.config.coredumpsDir)).includes('dev1'),
      'its folder is gone',
    );
  });

  it('refuses the upload that is being received', async () => {
    const app = await aServer();
    const device = await aDevice(app);
    const query = 'chip=esp32c3&firmware_version=1.0.0&device_key=dev1';
    const sending = request(`${app.url}/api/iot/coredump?${query}`, { method: 'POST' });
    const answered = once(sending, 'response');
    sending.write(Buffer.alloc(200_000, 'half of it'));
    const incoming = join(app.config.coredumpsDir, '.incoming');
    await eventually(async () => (await readdir(incoming)).length === 1, 'it is being received');

    await app.graphql('mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }', {
      id: device.id,
    });
    sending.end('the rest');

    const [answer] = (await answered) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(404);
    expect(await readdir(app.config.coredumpsDir)).not.toContain('dev1');
    expect(await readdir(incoming)).toEqual([]);
  });

  it('leaves no object in a bucket', async () => {
    const bucket = await s3.newBucket();
    const app = await aServer({ ...bucket, MAX_COREDUMPS: '1000' });

    for (let round = 0; round < 2; round++) {
      await deleteWhileUploading([app]);
      await eventually(async () => (await objectsOf(bucket)).length === 0, 'no object is left', {
        limitMs: 10_000,
      });
    }

    expect(await rowCount(app)).toBe(0);
  });
});

describe('all dumps of a device, deleted while it uploads,', () => {
  it('take their files with them', async () => {
    const app = await aServer({ MAX_COREDUMPS: '100' });
    const device = await aDevice(app);
    let isOver = false;
    const uploading = uploadUntilRefused([app], () => isOver);

    for (let round = 0; round < ROUNDS; round++) {
      await app.graphql('mutation ($id: ID!) { deleteCoredumps(input: { deviceId: $id }) { count } }', {
        id: device.id,
      });
    }
    isOver = true;
    await uploading;

    await eventually(
      async () => (await filesOf(app)).length === (await rowCount(app)),
      'a file for each row',
      {
        limitMs: 10_000,
      },
    );
  });
});

describe('privacy settings that change while dumps come in', () => {
  it('leave no raw bytes of a dump that was read', async () => {
    const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'read' }));
    const app = await aServer({ ...sidecar.environment, MAX_COREDUMPS: '1000' });
    await aDevice(app);
    await uploadFirmware(app, {});
    let isOver = false;
    const uploading = uploadUntilRefused([app], () => isOver);
    await eventually(async () => (await rowCount(app)) > 10, 'some dumps are there');

    await app.graphql(
      `mutation {
        setModelPrivacy(input: { modelCode: "thermostat", removeRawOnceRead: true }) { deviceModel { code } }
      }`,
    );
    const before = await rowCount(app);
    await eventually(async () => (await rowCount(app)) > before + 10, 'more dumps came');
    isOver = true;
    await uploading;

    await eventually(async () => (await pendingCount(app)) === 0, 'every dump was read');
    await eventually(async () => (await filesOf(app)).length === 0, 'no raw bytes are left', {
      limitMs: 10_000,
    });
    expect(await rowCount(app)).toBeGreaterThan(20);
  });
});

/** Twenty senders at once, in a loop until each is told that there is no such device any more. */
async function deleteWhileUploading(servers: readonly TestApp[]): Promise<void> {
  const [first] = servers;
  if (first === undefined) throw new Error('a server is up');
  const device = await aDevice(first);
  const uploading = uploadUntilRefused(servers);
  await eventually(async () => (await rowCount(first)) > 0, 'some dumps are there');

  await first.graphql('mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }', {
    id: device.id,
  });

  const statuses = await uploading;
  expect(statuses.filter((status) => status !== 201 && status !== 404)).toEqual([]);
  expect(statuses).toContain(404);
}

async function filesOf(app: TestApp): Promise<string[]> {
  return readdir(`${app.config.coredumpsDir}/dev1`).catch(() => []);
}

async function objectsOf(bucket: S3Environment): Promise<string[]> {
  return (await s3.objects(bucket)).filter((key) => key.endsWith('.dmp'));
}

async function rowCount(app: TestApp): Promise<number> {
  const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
    '{ coredumps { totalCount } }',
  );
  return coredumps.totalCount;
}

async function pendingCount(app: TestApp): Promise<number> {
  const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
    '{ coredumps(filter: { parseStatus: [PENDING] }) { totalCount } }',
  );
  return coredumps.totalCount;
}
