import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { reasonOf } from '../../src/errors.js';

describe('why a request got no answer', () => {
  it('is in the cause of what fetch throws', async () => {
    const port = await aClosedPort();

    const error = await fetch(`http://127.0.0.1:${port}`).catch((thrown: unknown) => thrown);

    expect(reasonOf(error)).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  it('is said of a name with several addresses, as localhost is', async () => {
    const port = await aClosedPort();
    const socket = connect({
      host: 'two-addresses.test',
      port,
      autoSelectFamily: true,
      lookup: (_, __, answer) =>
        answer(null, [
          { address: '127.0.0.1', family: 4 },
          { address: '127.0.0.2', family: 4 },
        ]),
    });
    const [cause] = await once(socket, 'error').catch((thrown: unknown) => [thrown]);

    expect(cause).toBeInstanceOf(AggregateError);
    expect(reasonOf(new TypeError('fetch failed', { cause }))).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
    expect(reasonOf(cause)).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  it.each([
    ['an error without a message', new TypeError('fetch failed', { cause: new Error('') }), 'fetch failed'],
    ['no error', 'a text', 'a text'],
  ])('is what there is: %s', (_, error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });
});

async function aClosedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a server without a port');
  return address.port;
}
