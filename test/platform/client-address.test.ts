import { describe, expect, it } from 'vitest';
import { createClientAddress, isProxyAddress, networkOf } from '../../src/platform/http/client-address.js';

describe('an address is counted for its network', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '20010db800010002/64'],
    ['2001:db8:1:2::9', '20010db800010002/64'],
    ['', 'unknown'],
    ['x'.repeat(10_000), 'unknown'],
  ])('%s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('the address of a client behind proxies', () => {
  const addressOf = createClientAddress(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
  const from = (remoteAddress: string, forwarded?: string) =>
    addressOf({
      socket: { remoteAddress },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    });

  it.each([
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['127.0.0.1', '203.0.113.7:52100', '203.0.113.7'],
    ['::ffff:127.0.0.1', '[2001:db8::7]:52100', '2001:db8::7'],
    ['127.0.0.1', '[2001:db8::7]', '2001:db8::7'],
    ['127.0.0.1', '2001:db8::7:1', '2001:db8::7:1'],
    ['127.0.0.1', 'for="[2001:db8::7]:4711"', '2001:db8::7'],
    ['127.0.0.1', '"203.0.113.7:1"', '203.0.113.7'],
    // Every hop may have a port, also the trusted ones.
    ['127.0.0.1', '198.51.100.1, 203.0.113.7:1, 10.0.0.2:443', '203.0.113.7'],
    ['127.0.0.1', '203.0.113.7, [fd00::2]:443,', '203.0.113.7'],
    ['127.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    // What is no address is not believed: then the proxy that passed it on is the sender.
    ['127.0.0.1', 'unknown', '127.0.0.1'],
    ['127.0.0.1', 'unknown, 10.0.0.2:443', '10.0.0.2'],
    ['127.0.0.1', '_hidden, 203.0.113.7', '203.0.113.7'],
    ['127.0.0.1', '1.2.3.4:5:6', '127.0.0.1'],
    ['127.0.0.1', '12345', '127.0.0.1'],
    ['127.0.0.1', '[203.0.113.7', '127.0.0.1'],
    ['127.0.0.1', 'x'.repeat(10_000), '127.0.0.1'],
    // Whoever is not trusted names nobody.
    ['203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ])('of %s, forwarded for %j: %s', (remote, forwarded, address) => {
    expect(from(remote, forwarded)).toBe(address);
  });
});

describe('a trusted proxy', () => {
  it.each(['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', 'loopback'])('may be %s', (text) => {
    expect(isProxyAddress(text)).toBe(true);
  });

  it.each(['', 'proxy.example', '10.0.0.0/99', '1.2.3', '*'])('is not %j', (text) => {
    expect(isProxyAddress(text)).toBe(false);
  });
});
