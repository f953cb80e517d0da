import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { aDevice, eventually, stored } from '../support/app.js';
import { aProgram, type Program } from '../support/program.js';

const EACH = 60;
const QUERY = `subscription ($since: String) { crashEvents(since: $since) { type cursor coredump { id } } }`;

interface Told {
  type: string;
  cursor: string;
  coredump: { id: string } | null;
}

/** One that keeps the cursor of the last event, and shows it when it subscribes again: by `since`, as docs/api.md says. */
class Follower {
  readonly request = { query: QUERY, variables: { since: null as string | null } };
  readonly dumps = new Set<string>();
  isReady = false;

  readonly next = (event: Told | undefined) => {
    if (event === undefined) throw new Error('an event without data');
    this.request.variables.since = event.cursor;
    if (event.type === 'READY') this.isReady = true;
    if (event.coredump !== null) this.dumps.add(event.coredump.id);
  };
}

/** What each library needs to go on after a break; everything else is as it comes. */
const KINDS = {
  'graphql-ws': (url: string, { request, next }: Follower) => {
    const client = createWebSocketClient({
      ...{ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: Infinity },
      shouldRetry: () => true,
    });
    client.subscribe<{ crashEvents: Told }>(request, {
      next: ({ data }) => next(data?.crashEvents),
      error: () => {},
      complete: () => {},
    });
    return () => void client.dispose();
  },
  'graphql-sse': (url: string, { request, next }: Follower) => {
    const client = createSseClient({ url, retryAttempts: Infinity });
    client.subscribe<{ crashEvents: Told }>(request, {
      next: ({ data }) => next(data?.crashEvents),
      error: () => {},
      complete: () => {},
    });
    return () => void client.dispose();
  },
  fetch: (url: string, { request, next }: Follower) => {
    const stop = new AbortController();
    void (async () => {
      while (!stop.signal.aborted) {
        await readEvents(url, request, next, stop.signal).catch(() => {});
        await sleep(1_000 + Math.random() * 2_000);
      }
    })();
    return () => stop.abort();
  },
};

async function readEvents(
  url: string,
  request: object,
  next: (event: Told | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const { body } = await fetch(url, {
    method: 'POST',
    headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  });
  if (body === null) return;
  let text = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + piece).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const line = block.split('\n').find((part) => part.startsWith('data: '));
      if (line !== undefined)
        next((JSON.parse(line.slice(6)) as { data: { crashEvents: Told } }).data.crashEvents);
    }
  }
}

it(`${EACH} clients of each kind miss nothing of what comes while a killed server starts again`, async () => {
  const environment = { PORT: String(await aFreePort()) };
  const before = await aProgram('start', { environment });
  const device = await aDevice(before);
  const followers = Object.entries(KINDS).flatMap(([kind, follow]) =>
    Array.from({ length: EACH }, () => {
      const follower = new Follower();
      return { kind, follower, stop: follow(`${before.url}/graphql`, follower) };
    }),
  );
  await eventually(async () => followers.every(({ follower }) => follower.isReady), 'every client is ready');

  await before.stop('SIGKILL');
  const after = await aProgram('start', { dir: before.dir, environment });
  // Before the server, so that no client asks for it any more.
  onTestFinished(() => {
    for (const { stop } of followers) stop();
  });
  const { coredumpId } = await upload(after, device);

  await eventually(
    async () => followers.every(({ follower }) => follower.dumps.has(coredumpId)),
    'the dump at every client',
    { limitMs: 40_000 },
  ).catch(() => {});
  expect(countsOf(followers, coredumpId)).toEqual({ 'graphql-ws': EACH, 'graphql-sse': EACH, fetch: EACH });
});

function upload(program: Program, device: { key: string; token: string }) {
  return stored(program, 'a dump that came meanwhile', { device: device.key });
}

function countsOf(
  followers: Array<{ kind: string; follower: Follower }>,
  id: string,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, follower } of followers) {
    counts[kind] = (counts[kind] ?? 0) + (follower.dumps.has(id) ? 1 : 0);
  }
  return counts;
}

async function aFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
