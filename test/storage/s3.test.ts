import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import { openBlobStores } from '../../src/platform/blobs/open-blob-stores.js';
import {
  aDevice,
  aServer,
  errorOf,
  eventually,
  readiness,
  stored,
  type TestApp,
  upload,
} from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { anS3Proxy } from '../support/s3-proxy.js';
import { useS3Server } from '../support/s3-server.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

const server = useS3Server();

/** A server whose storage is a bucket behind an endpoint. */
async function aServerWithS3(environment: Record<string, string> = {}) {
  const endpoint = await anS3Proxy(server.url());
  const bucket = await server.newBucket();
  const app = await aServer({ ...bucket, S3_ENDPOINT: endpoint.url, ...environment });
  return { app, endpoint, objects: () => server.objects(bucket), bucket };
}

async function download(app: TestApp, id: string): Promise<Response> {
  return fetch(`${app.url}/api/coredumps/${id}/download`);
}

async function ended(app: TestApp, id: string) {
  const query = 'query ($id: ID!) { coredump(id: $id) { parseStatus parseAttempts parsedOutput } }';
  return eventually(async () => {
    const { coredump } = await app.graphql<{
      coredump: { parseStatus: string; parseAttempts: number; parsedOutput: string };
    }>(query, { id });
    return coredump.parseStatus === 'PENDING' ? null : coredump;
  }, 'the parse ends');
}

const unavailable = { answer: 503, code: 'SlowDown' } as const;

describe('dumps and firmware in a bucket', () => {
  it('are taken in, parsed and given out as from files, and nothing of them stays on the machine', async () => {
    const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'the report' }));
    const { app, objects } = await aServerWithS3(sidecar.environment);
    await aDevice(app);
    const elf = aFirmwareElf({ version: '1.0.0' });
    await uploadFirmware(app, { elf });

    const { coredumpId, filename } = await stored(app, 'the dump');

    expect(await ended(app, coredumpId)).toMatchObject({ parseStatus: 'PARSED', parsedOutput: 'the report' });
    expect(sidecar.requests[0]).toMatchObject({ coreBytes: Buffer.from('the dump'), elfBytes: elf });
    const answer = await download(app, coredumpId);
    expect(answer.headers.get('content-length')).toBe('8');
    expect(answer.headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/);
    expect(await answer.text()).toBe('the dump');
    expect((await fetch(`${app.url}/api/coredumps/${coredumpId}/download`, { method: 'HEAD' })).status).toBe(
      200,
    );
    expect(await objects()).toEqual([
      '.check',
      'coredumps/.installation.json',
      `coredumps/dev1/${filename}`,
      'firmware/.installation.json',
      expect.stringMatching(/^firmware\/thermostat\/[0-9a-f]{64}\.elf$/),
    ]);
    expect(await readdir(app.config.coredumpsDir)).toEqual(['.incoming']);
    expect(await readdir(join(app.config.coredumpsDir, '.incoming'))).toEqual([]);
    expect(await readdir(join(app.config.assetsDir, '.incoming'))).toEqual([]);
  });

  it('are kept no longer than their rows', async () => {
    const { app, objects } = await aServerWithS3({ MAX_COREDUMPS: '5' });
    await aDevice(app);

    const all = await Promise.all(Array.from({ length: 20 }, (_, index) => stored(app, `dump ${index}`)));

    const dumps = () => objects().then((keys) => keys.filter((key) => key.endsWith('.dmp')));
    await eventually(async () => (await dumps()).length === 5, 'five objects are left');
    const { coredumps } = await app.graphql<{
      coredumps: { nodes: Array<{ id: string; filename: string }> };
    }>('{ coredumps(first: 50) { nodes { id filename } } }');
    const named = coredumps.nodes.map(({ filename }) => `coredumps/dev1/${filename}`).sort();
    expect(await dumps()).toEqual(named);
    expect(all).toHaveLength(20);
    for (const { id } of coredumps.nodes) {
      await app.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
        id,
      });
    }
    expect(await dumps()).toEqual([]);
  });

  it('without a row are set aside at the start, unless another server may be giving them one', async () => {
    const { app, objects, bucket } = await aServerWithS3();
    const { dumps, firmwares, close } = await openBlobStores(
      readConfig({
        ...bucket,
        COREDUMPS_DIR: join(app.dir, 'other'),
        ASSETS_DIR: join(app.dir, 'other'),
      }),
    );
    for (const [store, key] of [
      [dumps, 'dev1/coredump_20260101T000000_000000Z.dmp'],
      [firmwares, `thermostat/${'a'.repeat(64)}.elf`],
    ] as const) {
      const incoming = await store.receive(
        (async function* () {
          yield Buffer.from('no row yet');
        })(),
      );
      expect(await incoming.publish(key)).toBe(true);
    }
    close();

    await app.restart();

    const isShared = inject('postgresql') !== undefined;
    const prefix = isShared ? '' : '.orphans/';
    expect((await objects()).filter((key) => !key.startsWith('.check') && !key.endsWith('.json'))).toEqual([
      `${prefix}coredumps/dev1/coredump_20260101T000000_000000Z.dmp`,
      `${prefix}firmware/thermostat/${'a'.repeat(64)}.elf`,
    ]);
  });
});

describe('a bucket in trouble', () => {
  it('makes uploads, downloads and readiness fail with 503, and heals by itself', async () => {
    const { app, endpoint, objects } = await aServerWithS3();
    await aDevice(app);
    const { coredumpId } = await stored(app, 'first');
    const before = await objects();
    endpoint.happens(() => unavailable);

    const refused = await upload(app, 'second');
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(await errorOf(refused)).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(await errorOf(await download(app, coredumpId))).toMatchObject({
      status: 503,
      code: 'UNAVAILABLE',
    });
    const ready = await eventually(async () => {
      const answer = await readiness(app);
      return answer.code === 503 ? answer : null;
    }, 'the server is not ready');
    expect(ready).toMatchObject({ storage: 'down', database: 'ok' });

    endpoint.happens(() => null);
    await stored(app, 'second');
    expect(await (await download(app, coredumpId)).text()).toBe('first');
    expect(await readiness(app)).toMatchObject({ code: 200, storage: 'ok', database: 'ok' });
    expect(await objects()).toHaveLength(before.length + 1);
    expect(await readdir(join(app.config.coredumpsDir, '.incoming'))).toEqual([]);
  });

  it('that is gone fails an upload in the time that a device waits', async () => {
    const { app, endpoint } = await aServerWithS3();
    await aDevice(app);
    endpoint.close();
    const begun = Date.now();

    expect(await errorOf(await upload(app, 'dump'))).toMatchObject({ status: 503, code: 'UNAVAILABLE' });

    expect(Date.now() - begun).toBeLessThan(15_000);
  });

  it('breaks a download off rather than call half of it whole', async () => {
    const { app, endpoint } = await aServerWithS3();
    await aDevice(app);
    const { coredumpId } = await stored(app, 'b'.repeat(500_000));

    for (const fault of ['cut', 'damaged'] as const) {
      endpoint.happens(({ method, path }) => (method === 'GET' && path.endsWith('.dmp') ? fault : null));
      await expect(download(app, coredumpId).then((answer) => answer.text())).rejects.toThrow();
    }
  });

  it('while a parse is prepared costs no attempt, and never makes a dump or its firmware missing', async () => {
    const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'the report' }));
    const { app, endpoint } = await aServerWithS3(sidecar.environment);
    await aDevice(app);
    await uploadFirmware(app, {});
    let failures = 0;
    // Each call is tried three times: once all of them fail at the dump, then once at the ELF.
    endpoint.happens(({ method, path }) => {
      const hit =
        method === 'GET' && (failures < 3 ? path.endsWith('.dmp') : path.endsWith('.elf') && failures < 6);
      if (hit) failures += 1;
      return hit ? unavailable : null;
    });

    const { coredumpId } = await stored(app, 'the dump');

    expect(await ended(app, coredumpId)).toMatchObject({ parseStatus: 'PARSED', parseAttempts: 1 });
  });

  it.each([
    ['does not exist', { S3_BUCKET: 'no-such-bucket' }, 'NoSuchBucket'],
    ['lets nobody in', { S3_ACCESS_KEY_ID: 'unknown' }, 'InvalidAccessKeyId'],
    ['cannot be reached', { S3_ENDPOINT: 'http://127.0.0.1:1' }, 'ECONNREFUSED'],
  ])('that %s stops the start with one line that says so', async (_, change, reason) => {
    const bucket = await server.newBucket();

    const starting = aServer({ ...bucket, ...change });

    await expect(starting).rejects.toThrow(
      /^S3_BUCKET, S3_ENDPOINT: the bucket "[\w-]+" at http:[^\n]+ cannot be written: [^\n]+$/,
    );
    await expect(starting).rejects.toThrow(reason);
  });
});

describe.runIf(inject('postgresql') !== undefined)('several servers on one bucket (needs PostgreSQL)', () => {
  it('give out what the others have taken in, and keep the limit together', async () => {
    const { app, objects } = await aServerWithS3({ MAX_COREDUMPS: '5' });
    const other = await app.another();
    await aDevice(app);

    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) => stored(index % 2 === 0 ? app : other, `dump ${index}`)),
    );

    await eventually(async () => (await objects()).length === 8, 'five dumps are left');
    const { coredumps } = await app.graphql<{ coredumps: { nodes: Array<{ id: string }> } }>(
      '{ coredumps(first: 50) { nodes { id } } }',
    );
    for (const { id } of coredumps.nodes) {
      const index = all.findIndex(({ coredumpId }) => coredumpId === id);
      expect(await (await download(other, id)).text()).toBe(`dump ${index}`);
    }
  });
});
