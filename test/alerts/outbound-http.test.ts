import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isPublicAddress, postToPublic } from '../../src/platform/http/outbound-http.js';

async function aTarget(status = 200) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    response.writeHead(status, { Location: 'http://127.0.0.1:1/' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

const post = (url: string, options: Partial<Parameters<typeof postToPublic>[1]> = {}) =>
  postToPublic(new URL(url), { headers: {}, body: '{}', timeoutMs: 5_000, allowPrivate: false, ...options });

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001:db8::1',
    'ff02::1',
    'not an address',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('a POST to the public internet', () => {
  it.each([
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://[::1]:PORT/',
    'http://2130706433:PORT/',
    'http://169.254.169.254/latest',
  ])('does not reach %s', async (url) => {
    const target = await aTarget();

    await expect(post(url.replace('PORT', String(target.port)))).rejects.toThrow(
      'not on the public internet',
    );
    expect(target.requests()).toBe(0);
  });

  it('is judged by what the name resolves to when it connects, and by all of it', async () => {
    const target = await aTarget();
    let lookups = 0;
    // As dns.lookup with `all` answers: the attacker's server has changed its mind since the rule was made.
    const resolveName = ((_: string, __: object, answer: (error: null, addresses: object[]) => void) => {
      lookups += 1;
      answer(null, [
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    }) as unknown as NonNullable<Parameters<typeof postToPublic>[1]['resolveName']>;

    await expect(post(`http://rebound.example:${target.port}/`, { resolveName })).rejects.toThrow(
      'rebound.example is not on the public internet',
    );
    expect([lookups, target.requests()]).toEqual([1, 0]);
  });

  it('reaches the network of a homelab where that is allowed, and follows no redirect', async () => {
    const target = await aTarget(302);

    expect(await post(`http://localhost:${target.port}/`, { allowPrivate: true })).toEqual({
      status: 302,
      retryAfter: null,
    });
    expect(target.requests()).toBe(1);
  });
});
