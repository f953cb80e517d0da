import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGraphQLError, createSchema, createYoga } from 'graphql-yoga';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sendEventStreams } from '../../src/graphql/server/sse.js';
import { eventually } from '../support/app.js';

describe('server-sent events', () => {
  it.each<[string, Source]>([
    [
      'some',
      async function* () {
        yield { n: 1 };
        yield { n: 2 };
      },
    ],
    ['none', async function* () {}],
    [
      'with errors',
      async function* () {
        yield { n: 1 };
        yield {
          get n(): number {
            throw createGraphQLError('no "n"', {
              extensions: { code: 'NONE', http: { status: 418 }, unexpected: true },
            });
          },
        };
        yield {
          get n(): number {
            throw createGraphQLError('nothing', { extensions: { http: { status: 418 } } });
          },
        };
      },
    ],
  ])('are sent word for word as Yoga would send them: %s', async (_, source) => {
    const [ours, theirs] = [await open(source, true), await open(source, false)];

    // In tests Yoga pings every 300 ms.
    expect(withoutPings(await ours.ended)).toBe(withoutPings(await theirs.ended));
    expect(await ours.ended).toMatch(/^:\n\n[\s\S]*event: complete\ndata:\n\n$/);
    expect(ours.headers).toMatchObject({
      'content-type': theirs.headers['content-type'],
      // Stricter than Yoga's, for proxies.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
  });

  it('end the subscription when the connection is gone', async () => {
    let isOver = false;
    const waiting = await open(() => endless(() => (isOver = true)), true);
    await eventually(async () => waiting.text().includes('"n":1'), 'the first event');

    waiting.close();

    await eventually(async () => isOver, 'the end of the subscription');
  });

  it('end without the last word when the subscription breaks, and the server lives on', async () => {
    const broken = await open(async function* () {
      yield { n: 1 };
      throw new Error('broken');
    }, true);

    expect(await broken.ended).toContain('"n":1');
    expect(await broken.ended).not.toContain('complete\ndata:\n\nevent');
  });

  it('come with pings where nothing else comes', async () => {
    const idle = await open(() => endless(() => {}), true, 20);

    await eventually(async () => idle.text().endsWith(':\n\n:\n\n:\n\n'), 'three pings');
    idle.close();
  });
});

function withoutPings(text: string): string {
  return text.replaceAll(/^:\n\n/gm, '');
}

type Source = () => AsyncGenerator<{ n: number }>;

async function open(source: Source, isOurs: boolean, pingMs?: number) {
  const yoga = createYoga({
    logging: false,
    schema: createSchema({
      typeDefs: 'type Query { n: Int } type Subscription { n: Int }',
      resolvers: { Subscription: { n: { subscribe: source } } },
    }),
    plugins: isOurs ? [sendEventStreams(pingMs)] : [],
  });
  const server = createServer(yoga).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const query = encodeURIComponent('subscription { n }');
  const request = get(`http://127.0.0.1:${port}/graphql?query=${query}`, {
    headers: { Accept: 'text/event-stream' },
  });
  const [response] = await once(request, 'response');
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  response.on('error', () => {});
  return {
    headers: response.headers,
    text: () => text,
    ended: new Promise<string>((resolve) => response.once('close', () => resolve(text))),
    close: () => request.destroy(),
  };
}

/** One event, and no other until it is returned. */
function endless(onReturn: () => void): AsyncGenerator<{ n: number }> {
  let count = 0;
  const items = {
    next: () =>
      count++ === 0
        ? Promise.resolve({ done: false, value: { n: 1 } })
        : new Promise<IteratorResult<{ n: number }>>(() => {}),
    async return() {
      onReturn();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => items,
  };
  return items as unknown as AsyncGenerator<{ n: number }>;
}
