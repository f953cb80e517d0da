import { describe, expect, it } from 'vitest';
import { isProxyAddress, networkOf } from '../src/client-address.js';

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

describe('a trusted proxy', () => {
  it.each(['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', 'loopback'])('may be %s', (text) => {
    expect(isProxyAddress(text)).toBe(true);
  });

  it.each(['', 'proxy.example', '10.0.0.0/99', '1.2.3', '*'])('is not %j', (text) => {
    expect(isProxyAddress(text)).toBe(false);
  });
});
