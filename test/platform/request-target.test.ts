import { expect, it } from 'vitest';
import { readTarget } from '../../src/platform/http/request-target.js';

it.each([
  '/',
  '/healthz',
  '/healthz?',
  '/api/iot/coredump?chip=esp32c3&firmware_version=1.2.3+build5&device_key=dev1',
  '/a?b=c?d=e',
  '/a??b=c',
  '/a?b#c?d',
  '/a#b?c',
  '/a/../b',
  '/a/./b?c',
  '/a/%2e%2e/b',
  '/a\\b',
  '/%67raphql',
  '//evil.example/a',
  '///a',
  '/a?"<>\'`{}|\\^é',
  '/Q29yZWR1bXA6MQ==/download',
])('reads %s as a URL parser does', (target) => {
  const { pathname, searchParams } = new URL(`http://localhost${target}`);

  const read = readTarget({ url: target });

  expect(read).toMatchObject({ path: pathname, host: null });
  expect([...new URLSearchParams(read?.search)]).toEqual([...searchParams]);
});

it('takes the host from a target that names one', () => {
  expect(readTarget({ url: 'http://device.example:8080/healthz?x' })).toEqual({
    path: '/healthz',
    search: '?x',
    host: 'device.example:8080',
  });
});

it.each(['*', '', 'healthz', 'http://', 'ftp://a/b', 'a.example:443'])(
  'finds no target in "%s"',
  (target) => {
    expect(readTarget({ url: target })).toBeNull();
  },
);
