import { describe, expect, it, onTestFinished } from 'vitest';
import { createS3Bucket } from '../../src/platform/blobs/s3/s3-bucket.js';
import { anS3Proxy } from '../support/s3-proxy.js';
import { settingsOf, useS3Server } from '../support/s3-server.js';

const server = useS3Server();

/** Its check was made at 0 by its clock. */
async function aCheckedBucket() {
  const proxy = await anS3Proxy(server.url());
  let now = 0;
  const settings = settingsOf({ ...(await server.newBucket()), S3_ENDPOINT: proxy.url });
  const bucket = createS3Bucket(settings, { now: () => now });
  onTestFinished(bucket.close);
  await bucket.check();
  return {
    bucket,
    proxy,
    setNow(ms: number) {
      now = ms;
    },
  };
}

describe('a bucket', () => {
  it('is checked once in ten seconds at most, unless a call fails meanwhile', async () => {
    const { bucket, proxy, setNow } = await aCheckedBucket();
    const before = proxy.calls.length;

    setNow(9_999);
    await bucket.check();
    expect(proxy.calls.length).toBe(before);
    setNow(10_000);
    await bucket.check();
    expect(proxy.calls.length).toBe(before + 1);

    proxy.happens(() => ({ answer: 500, code: 'InternalError' }));
    await expect(bucket.get('x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(bucket.check()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('the check of a bucket', () => {
  /** One whose check has been made, and holds no more. */
  async function aBucketToCheck() {
    const { bucket, proxy, setNow } = await aCheckedBucket();
    setNow(10_000);
    proxy.calls.length = 0;
    return { bucket, proxy };
  }

  it('is one for all who ask at the same time', async () => {
    const { bucket, proxy } = await aBucketToCheck();
    proxy.happens(() => ({ delayMs: 50 }));

    await Promise.all(Array.from({ length: 5 }, () => bucket.check()));

    expect(proxy.calls.map(({ method }) => method)).toEqual(['PUT']);
  });

  it('that fails is made again, once, for those who asked after it had begun', async () => {
    const { bucket, proxy } = await aBucketToCheck();
    let calls = 0;
    // All attempts of the first check.
    proxy.happens(() => (calls++ < 3 ? { answer: 503, code: 'SlowDown' } : null));

    const checks = await Promise.allSettled(Array.from({ length: 4 }, () => bucket.check()));

    expect(checks.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    // After the failure also a look whether it is S3 that answers.
    expect(proxy.calls.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT', 'PUT', 'HEAD', 'GET']);
  });

  it('that hangs keeps nobody waiting who asks when the bucket is well again', async () => {
    const { bucket, proxy } = await aBucketToCheck();
    proxy.happens(() => 'hanging');
    const hanging = bucket.check().catch(() => 'failed');
    await expect.poll(() => proxy.calls.length).toBe(1);
    proxy.happens(() => null);

    await bucket.check();

    proxy.close();
    expect(await hanging).toBe('failed');
  });

  describe.each(['cut', 'stalled', 'damaged'] as const)('whose bytes come back %s', (fault) => {
    /** What it gives back is only looked at after something has failed. */
    async function aDistrustedBucket() {
      const { bucket, proxy } = await aBucketToCheck();
      proxy.happens(() => ({ answer: 403, code: 'AccessDenied' }));
      await expect(bucket.check()).rejects.toThrow('AccessDenied');
      return { bucket, proxy };
    }

    it('looks again', async () => {
      const { bucket, proxy } = await aDistrustedBucket();
      let reads = 0;
      proxy.happens(({ method }) => (method === 'GET' && reads++ === 0 ? fault : null));

      await bucket.check();

      expect(reads).toBe(2);
    });

    it('fails when they never come back otherwise', async () => {
      const { bucket, proxy } = await aDistrustedBucket();
      proxy.happens(({ method }) => (method === 'GET' ? fault : null));

      await expect(bucket.check()).rejects.toThrow('it does not return what was put');
    });
  });
});
