import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import { openBlobStores } from '../../src/platform/blobs/open-blob-stores.js';
import { aDevice, aServer, errorOf, eventually, readiness, stored, upload } from '../support/app.js';
import { anS3Proxy } from '../support/s3-proxy.js';
import { useS3Server } from '../support/s3-server.js';

const server = useS3Server();

async function aServerWithS3(options: { isConditional?: boolean } = {}) {
  const endpoint = await anS3Proxy(server.url(), options);
  const bucket = await server.newBucket();
  const environment = { ...bucket, S3_ENDPOINT: endpoint.url };
  const app = await aServer(environment);
  await aDevice(app);
  return { app, endpoint, environment };
}

describe('an S3 that says yes to everything', () => {
  it.each([{ isConditional: true }, { isConditional: false }])(
    'is asked a few times for an upload, which then fails with 503 (%o)',
    async (options) => {
      const { app, endpoint } = await aServerWithS3(options);
      const before = endpoint.calls.length;
      endpoint.happens(() => 'yes');

      expect(await errorOf(await upload(app, 'dump'))).toMatchObject({ status: 503, code: 'UNAVAILABLE' });

      expect(endpoint.calls.length - before).toBeLessThan(20);
      const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
        '{ coredumps { totalCount } }',
      );
      expect(coredumps.totalCount).toBe(0);
      expect((await fetch(`${app.url}/readyz`)).status).toBe(503);
    },
  );

  it('stops the start with one line that says so', async () => {
    const endpoint = await anS3Proxy(server.url());
    endpoint.happens(() => 'yes');

    const starting = aServer({ ...(await server.newBucket()), S3_ENDPOINT: endpoint.url });

    await expect(starting).rejects.toThrow(
      /^S3_BUCKET, S3_ENDPOINT: the bucket [^\n]+ does not answer as S3 does: [^\n]+$/,
    );
  });

  it('is believed again as soon as it is one', async () => {
    const { app, endpoint } = await aServerWithS3();
    endpoint.happens(() => 'yes');
    expect((await upload(app, 'dump')).status).toBe(503);

    endpoint.happens(() => null);

    await stored(app, 'dump');
    expect(await readiness(app)).toMatchObject({ code: 200, storage: 'ok', database: 'ok' });
  });
});

describe('an upload whose sender has gone', () => {
  it('asks nothing more of the bucket', async () => {
    const { app, endpoint } = await aServerWithS3();
    endpoint.happens(({ method }) => (method === 'PUT' ? 'hanging' : null));
    const query = new URLSearchParams({ chip: 'esp32c3', firmware_version: '1', device_key: 'dev1' });
    const sending = request(`${app.url}/api/iot/coredump?${query}`, { method: 'POST' });
    sending.on('error', () => {});
    sending.end('dump');
    await eventually(
      async () => endpoint.calls.some(({ path }) => path.endsWith('.dmp')),
      'the bucket is asked',
    );

    sending.destroy();

    const failed = 'iot_upload_coredump_errors_total{code="BODY_ABORTED"} 1';
    await eventually(
      async () => (await (await fetch(`${app.url}/metrics`)).text()).includes(failed),
      'the upload has ended with its sender',
      { limitMs: 5_000 },
    );
    expect(
      endpoint.calls.filter(({ method, path }) => method === 'PUT' && path.endsWith('.dmp')),
    ).toHaveLength(1);
  });
});

describe('a list of objects', () => {
  it.each(['endless list', 'yes'] as const)(
    'that is none (%s) is an error, and has an end',
    async (fault) => {
      const { endpoint, environment } = await aServerWithS3();
      const { dumps, close } = await openBlobStores(
        readConfig({ ...environment, COREDUMPS_DIR: '/tmp', ASSETS_DIR: '/tmp' }),
      );
      endpoint.happens(() => fault);
      const before = endpoint.calls.length;

      const listing = (async () => {
        for await (const { key } of dumps.list()) expect(key).toBe('dev1/a.dmp');
      })();

      await expect(listing).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(endpoint.calls.length - before).toBeLessThan(5);
      close();
    },
  );
});
