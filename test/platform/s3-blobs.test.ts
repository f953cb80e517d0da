import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BlobStore } from '../../src/platform/blobs/blob-store.js';
import { createS3Blobs } from '../../src/platform/blobs/s3/s3-blobs.js';
import { createS3Bucket } from '../../src/platform/blobs/s3/s3-bucket.js';
import { anS3Proxy } from '../support/s3-proxy.js';
import { type S3Environment, settingsOf, useS3Server } from '../support/s3-server.js';
import { aFolder, chunks, describeBlobStore, keys, orphansOf, put, read } from './blob-store-promises.js';

const server = useS3Server();

/** Long enough for a busy machine, short enough for a test that waits for it. */
const LIMITS = { callLimitMs: 3_000, stallMs: 500 };

describeBlobStore('S3 (s3rver)', async () => storeIn(await server.newBucket()));
describeBlobStore('S3 with conditional writes and checksums (s3rver behind a proxy)', async () => {
  const proxy = await anS3Proxy(server.url());
  return storeIn({ ...(await server.newBucket()), S3_ENDPOINT: proxy.url });
});

function storeIn(environment: S3Environment, limits: Partial<typeof LIMITS> = {}) {
  const folder = aFolder();
  const open = () => {
    const bucket = createS3Bucket(settingsOf(environment), limits);
    onTestFinished(bucket.close);
    return createS3Blobs({ bucket, prefix: 'coredumps/', spoolDir: folder, ...limits });
  };
  return { blobs: open(), another: open, incoming: join(folder, '.incoming') };
}

/** A store behind a proxy, and what it takes to look at both. */
async function aStoreBehindAProxy({
  limits = LIMITS,
  ...options
}: {
  isConditional?: boolean;
  limits?: Partial<typeof LIMITS>;
} = {}) {
  const environment = await server.newBucket();
  const proxy = await anS3Proxy(server.url(), options);
  const store = storeIn({ ...environment, S3_ENDPOINT: proxy.url }, limits);
  return { ...store, proxy, environment };
}

describe('a bucket', () => {
  it('has the bytes of one store apart from those of another, each under its prefix', async () => {
    const environment = await server.newBucket();
    const { blobs } = storeIn(environment);
    await put(blobs, 'dev1/a.dmp', 'x');
    await put(blobs, 'dev1/b.dmp', 'x');
    await blobs.orphan('dev1/b.dmp');

    expect(await server.objects(environment)).toEqual([
      '.check',
      '.orphans/coredumps/dev1/b.dmp',
      'coredumps/dev1/a.dmp',
    ]);
  });

  it('is claimed by one of many at once where the server knows conditional writes', async () => {
    const { blobs } = await aStoreBehindAProxy();

    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, index) => blobs.note.claim(`note ${index}`)),
    );

    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await blobs.note.read()).toBe(`note ${claims.indexOf(true)}`);
  });

  it('may hold more than one page of objects', async () => {
    const { blobs, proxy } = await aStoreBehindAProxy();
    const expected = Array.from({ length: 10 }, (_, index) => `dev${index % 3}/${index}.dmp`);
    await Promise.all(expected.map((key) => put(blobs, key, 'x')));
    proxy.happens(() => 'small pages');

    expect(await keys(blobs)).toEqual(expected.sort());
  });

  it('is named with the reason when it cannot be written', async () => {
    const environment = await server.newBucket();
    const missing = storeIn({ ...environment, S3_BUCKET: 'no-such-bucket' }).blobs;
    const stranger = storeIn({ ...environment, S3_ACCESS_KEY_ID: 'unknown' }).blobs;
    const nobody = storeIn({ ...environment, S3_ENDPOINT: 'http://127.0.0.1:1' }).blobs;

    await expect(missing.check()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(
        /^S3_BUCKET, S3_ENDPOINT: the bucket "no-such-bucket" at http:.* cannot be written: NoSuchBucket/,
      ),
    });
    await expect(stranger.check()).rejects.toMatchObject({
      message: expect.stringContaining('InvalidAccessKeyId'),
    });
    await expect(nobody.check()).rejects.toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
  });

  it('lets in who signs with the right secret only', async () => {
    const { environment, proxy } = await aStoreBehindAProxy();
    const settings = { ...environment, S3_ENDPOINT: proxy.url, S3_SECRET_ACCESS_KEY: 'wrong' };
    const { blobs } = storeIn(settings);

    await expect(blobs.check()).rejects.toMatchObject({
      message: expect.stringContaining('SignatureDoesNotMatch'),
    });
    await expect(blobs.open('dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('has a first byte of nothing in an empty object', async () => {
    const { blobs, proxy } = await aStoreBehindAProxy();
    proxy.happens(() => ({ answer: 416, code: 'InvalidRange' }));

    expect(await blobs.readAtMost('dev1/a.dmp', 3)).toEqual(new Uint8Array());
  });

  it('that does not exist makes nothing look missing', async () => {
    const { blobs } = storeIn({ ...(await server.newBucket()), S3_BUCKET: 'no-such-bucket' });

    await expect(blobs.open('dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(blobs.readAtMost('dev1/a.dmp', 5)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(blobs.copyTo('dev1/a.dmp', join(aFolder(), 'x'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});

describe('a key', () => {
  it('is won by exactly one of 30 at once where the server has conditional writes', async () => {
    // With the program's own limits: 30 at once take their time on a busy machine.
    const { blobs, another } = await aStoreBehindAProxy({ limits: {} });
    const stores = [blobs, another()];
    const bodies = Array.from({ length: 30 }, (_, index) => Buffer.alloc(1_000, `${index};`));
    const incoming = await Promise.all(bodies.map((body, index) => stores[index % 2]?.receive(chunks(body))));

    const won = await Promise.all(incoming.map((each) => each?.publish('model/sha.elf')));

    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await read(blobs, 'model/sha.elf')).toBe(bodies[won.indexOf(true)]?.toString());
  });

  it('that is there is not sent again when it is big', async () => {
    const { blobs, proxy } = await aStoreBehindAProxy();
    const elf = Buffer.alloc(2 * 1024 * 1024, 'elf');
    await put(blobs, 'model/sha.elf', elf.toString());
    const puts = () =>
      proxy.calls.filter(({ method, path }) => method === 'PUT' && path.endsWith('.elf')).length;
    const before = puts();

    expect(await (await blobs.receive(chunks(elf))).publish('model/sha.elf')).toBe(false);

    expect(puts()).toBe(before);
  });

  it('is ours when the answer to its write was lost', async () => {
    for (const isConditional of [true, false]) {
      const { blobs, proxy, incoming } = await aStoreBehindAProxy({ isConditional });
      await blobs.check();
      let lost = 0;
      proxy.happens(({ method }) => (method === 'PUT' && lost++ === 0 ? 'answer lost' : null));

      await put(blobs, 'dev1/a.dmp', 'the bytes');

      expect(lost).toBeGreaterThan(1);
      expect(await read(blobs, 'dev1/a.dmp')).toBe('the bytes');
      expect(readdirSync(incoming)).toEqual([]);
    }
  });

  it('is taken back when no attempt was answered', async () => {
    const { blobs, proxy, environment } = await aStoreBehindAProxy();
    await blobs.check();
    proxy.happens(({ method }) => (method === 'PUT' ? 'answer lost' : null));
    const incoming = await blobs.receive(chunks(Buffer.from('x')));

    // Written by the first attempt, seen by the second: nothing is lost after all.
    expect(await incoming.publish('dev1/a.dmp')).toBe(true);

    const other = await blobs.receive(chunks(Buffer.from('y')));
    proxy.happens(({ method }) => (method === 'PUT' ? { answer: 500, code: 'InternalError' } : null));
    await expect(other.publish('dev1/b.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await server.objects(environment)).toEqual(['.check', 'coredumps/dev1/a.dmp']);
  });

  it('is never taken from another upload by one that fails', async () => {
    const { blobs, proxy } = await aStoreBehindAProxy({ isConditional: false });
    await put(blobs, 'dev1/a.dmp', 'first');
    proxy.happens(({ method }) => (method === 'PUT' ? { answer: 500, code: 'InternalError' } : null));

    expect(await (await blobs.receive(chunks(Buffer.from('second')))).publish('dev1/a.dmp')).toBe(false);

    expect(await read(blobs, 'dev1/a.dmp')).toBe('first');
  });
});

describe('bytes that were damaged', () => {
  it('on their way to the server are not acknowledged', async () => {
    const { blobs, proxy, environment } = await aStoreBehindAProxy();
    await blobs.check();
    proxy.happens(({ method }) => (method === 'PUT' ? 'damaged on the way' : null));
    const incoming = await blobs.receive(chunks(Buffer.from('the bytes')));

    await expect(incoming.publish('dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });

    expect(await server.objects(environment)).toEqual(['.check']);
  });

  it.each(['damaged', 'cut', 'stalled'] as const)(
    'on their way back (%s) are never given out as whole',
    async (fault) => {
      const { blobs, proxy } = await aStoreBehindAProxy();
      const path = join(aFolder(), 'copy');
      writeFileSync(path, '');
      await put(blobs, 'dev1/a.dmp', 'b'.repeat(100_000));
      proxy.happens(({ method }) => (method === 'GET' ? fault : null));

      await expect(read(blobs, 'dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(blobs.copyTo('dev1/a.dmp', path)).rejects.toMatchObject({ code: 'UNAVAILABLE' });

      proxy.happens(() => null);
      expect(await read(blobs, 'dev1/a.dmp')).toHaveLength(100_000);
    },
  );
});

describe('a server in trouble', () => {
  const everything = (blobs: BlobStore, path: string): Array<() => Promise<unknown>> => [
    async () => (await blobs.receive(chunks(Buffer.from('x')))).publish('dev1/b.dmp'),
    () => blobs.open('dev1/a.dmp'),
    () => blobs.readAtMost('dev1/a.dmp', 3),
    () => blobs.copyTo('dev1/a.dmp', path),
    () => blobs.delete('dev1/a.dmp'),
    () => keys(blobs),
    () => blobs.orphan('dev1/a.dmp'),
    () => orphansOf(blobs),
    () => blobs.bringBack('dev1/a.dmp'),
    () => blobs.removeOrphan('dev1/a.dmp'),
    () => blobs.note.read(),
    () => blobs.note.claim('x'),
    () => blobs.note.replace('x'),
    () => blobs.peek(['dev1/a.dmp']),
    () => blobs.check(),
  ];

  it.each([
    ['answers 500', { answer: 500, code: 'InternalError' }],
    ['asks to slow down', { answer: 503, code: 'SlowDown' }],
    ['refuses', { answer: 403, code: 'AccessDenied' }],
    ['breaks connections', 'broken'],
    ['does not answer', 'hanging'],
  ] as const)('that %s is UNAVAILABLE in bounded time, never a missing blob', async (_, fault) => {
    const { blobs, proxy } = await aStoreBehindAProxy();
    await put(blobs, 'dev1/a.dmp', 'x');
    proxy.happens(() => fault);
    const path = join(aFolder(), 'copy');

    const answers = await Promise.allSettled(everything(blobs, path).map((call) => call()));

    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
    }
    proxy.happens(() => null);
    expect(await read(blobs, 'dev1/a.dmp')).toBe('x');
  });

  it('is asked again after a passing failure', async () => {
    const { blobs, proxy } = await aStoreBehindAProxy();
    const seen = new Set<string>();
    proxy.happens(({ method, path }) => {
      if (seen.has(method + path)) return null;
      seen.add(method + path);
      return { answer: 503, code: 'SlowDown' };
    });
    await put(blobs, 'dev1/a.dmp', 'x');

    expect(await read(blobs, 'dev1/a.dmp')).toBe('x');
    expect(await keys(blobs)).toEqual(['dev1/a.dmp']);
  });

  it('that has no space left is STORAGE_FULL', async () => {
    const { blobs, proxy } = await aStoreBehindAProxy();
    await blobs.check();
    for (const [answer, code] of [
      [507, 'XMinioStorageFull'],
      [403, 'QuotaExceeded'],
    ] as const) {
      proxy.happens(() => ({ answer, code }));
      const incoming = await blobs.receive(chunks(Buffer.from('x')));

      await expect(incoming.publish('dev1/a.dmp')).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    }
  });
});
