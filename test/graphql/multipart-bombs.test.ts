import { describe, expect, it } from 'vitest';
import { aGraphQLEndpoint, answerOf, type GraphQLEndpoint } from '../support/graphql-server.js';
import { aSocket } from '../support/http.js';

const UPLOAD = `mutation ($bundle: Upload!) {
    uploadFirmware(input: { modelCode: "thermostat", bundle: $bundle }) { firmware { version } }
  }`;
const OPERATIONS = JSON.stringify({ query: UPLOAD, variables: { bundle: null } });
const MAP = '{"0":["variables.bundle"]}';

type Part = readonly [name: string, content: string, filename?: string];

function bodyOf(parts: readonly Part[]): string {
  const written = parts.map(
    ([name, content, filename]) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n${content}\r\n`,
  );
  return `${written.join('')}--b--\r\n`;
}

async function send({ url }: GraphQLEndpoint, body: string) {
  return answerOf(
    await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      body: new Uint8Array(Buffer.from(body)),
    }),
  );
}

describe('a multipart bomb is the sender’s fault:', () => {
  it.each<[string, string]>([
    ['many files', bodyOf([['operations', OPERATIONS], ['map', MAP], ...times(5_000, fileOf)])],
    [
      'a map of many files',
      bodyOf([
        ['operations', OPERATIONS],
        ['map', JSON.stringify(Object.fromEntries(times(3_000, (n) => [n, ['variables.bundle']])))],
      ]),
    ],
    [
      'a map into nothing, deeper and deeper',
      bodyOf([
        ['operations', OPERATIONS],
        ['map', JSON.stringify({ 0: [`variables${'.a'.repeat(20_000)}`] })],
      ]),
    ],
    [
      'a map into the prototype',
      bodyOf([
        ['operations', OPERATIONS],
        ['map', '{"0":["variables.__proto__.polluted"]}'],
      ]),
    ],
    [
      'many operations at once',
      bodyOf([
        ['operations', JSON.stringify(times(500, () => ({ query: '{ __typename }' })))],
        ['map', '{}'],
      ]),
    ],
    ['operations of a megabyte', bodyOf([['operations', 'x'.repeat(1_000_000)]])],
    ['many fields before it comes to the point', bodyOf(times(20_000, (n) => [`f${n}`, 'x'] as const))],
    [
      'a part with a head of a megabyte',
      `--b\r\nContent-Disposition: form-data; name="operations"\r\nX: ${'x'.repeat(1_000_000)}\r\n\r\n${OPERATIONS}\r\n--b--\r\n`,
    ],
    [
      'a part with many heads',
      `--b\r\n${'X: y\r\n'.repeat(50_000)}Content-Disposition: form-data; name="operations"\r\n\r\n${OPERATIONS}\r\n--b--\r\n`,
    ],
    ['nothing but boundaries', '--b\r\n'.repeat(100_000)],
    [
      'variables that nest without end',
      bodyOf([
        [
          'operations',
          `{"query":"{ __typename }","variables":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`,
        ],
        ['map', '{}'],
      ]),
    ],
  ])('%s', async (_, body) => {
    const endpoint = await aGraphQLEndpoint();
    await endpoint.fleet.aModel({ code: 'thermostat' });

    const answer = await send(endpoint, body);

    expect(answer.errors[0]?.extensions.code).toMatch(/^(BAD_USER_INPUT|QUERY_TOO_COMPLEX)$/);
    expect(await endpoint.db.firmware.count()).toBe(0);
    expect(endpoint.logged).toEqual([]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('a body without end', { timeout: 60_000 }, async () => {
    const endpoint = await aGraphQLEndpoint({ maxFirmwareBytes: 100_000 });
    await endpoint.fleet.aModel({ code: 'thermostat' });
    const { socket, closed } = aSocket(endpoint.url);
    socket.write(
      'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000000000\r\n\r\n',
    );
    socket.write(bodyOf([['operations', OPERATIONS], ['map', MAP], fileOf(0)]).replace('--b--\r\n', ''));
    const chunk = Buffer.alloc(1_000_000, 'x');
    let sent = 0;
    const more = () => {
      while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
      sent += chunk.length;
    };
    socket.on('drain', more);
    more();

    await closed;

    expect(sent).toBeLessThan(150_000_000);
  });
});

function fileOf(index: number): Part {
  return [String(index), 'bytes', `${index}.elf`];
}

function times<T>(count: number, part: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => part(index));
}
