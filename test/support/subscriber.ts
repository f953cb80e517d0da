import { print } from 'graphql';
import { createClient } from 'graphql-sse';
import { onTestFinished } from 'vitest';
import { graphql } from '../generated/gql.js';
import { eventually, type TestApp } from './app.js';
import { fetchAlone } from './own-connection.js';

const FOLLOW = print(
  graphql(`
    subscription FollowAcross($dump: ID, $device: ID) {
      parseStatus(coredumpId: $dump, deviceId: $device) { id parseStatus }
    }
  `),
);

/** What a subscriber at a server has been told: the last state of each dump, and all of them in their order. */
export async function aSubscriber(app: TestApp, variables: { dump?: string; device?: string } = {}) {
  const before = await subscribersOf(app);
  const states = new Map<string, string>();
  const told: Array<{ id: string; parseStatus: string }> = [];
  const events = createClient({ url: `${app.url}/graphql`, retryAttempts: 0 }).iterate<{
    parseStatus: { id: string; parseStatus: string };
  }>({ query: FOLLOW, variables });
  const reading = (async () => {
    for await (const { data } of events) {
      if (data == null) continue;
      told.push(data.parseStatus);
      states.set(data.parseStatus.id, data.parseStatus.parseStatus);
    }
  })().catch(() => {});
  onTestFinished(async () => {
    await events.return?.();
    await reading;
  });
  await eventually(async () => (await subscribersOf(app)) > before, 'the subscription has begun');
  return { states, told };
}

async function subscribersOf(app: TestApp): Promise<number> {
  const metrics = await (await fetchAlone(`${app.url}/metrics`)).text();
  return Number(/^coredump_event_subscribers (\d+)/m.exec(metrics)?.[1]);
}
