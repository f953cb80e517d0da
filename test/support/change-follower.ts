import { print } from 'graphql';
import { createClient } from 'graphql-sse';
import { onTestFinished } from 'vitest';
import { graphql } from '../generated/gql.js';
import type { CrashEventsSubscription, CrashEventsSubscriptionVariables } from '../generated/graphql.js';
import type { GraphQLEndpoint } from './graphql-server.js';

export const CRASH_EVENTS = print(
  graphql(`
    subscription CrashEvents(
      $since: String
      $subjects: [CrashEventSubject!]
      $dump: ID
      $device: ID
      $group: ID
    ) {
      crashEvents(since: $since, subjects: $subjects, coredumpId: $dump, deviceId: $device, crashGroupId: $group) {
        type id: subjectId subject at cursor
        node { id }
        coredump { id parseStatus }
        crashGroup { id count }
      }
    }
  `),
);

export type CrashEvent = CrashEventsSubscription['crashEvents'];
export type ChangeFollower = Awaited<ReturnType<typeof followChanges>>;

/** A client of `crashEvents`, over server-sent events. */
export async function followChanges(
  endpoint: Pick<GraphQLEndpoint, 'url'>,
  variables: CrashEventsSubscriptionVariables = {},
) {
  const answers = createClient({ url: endpoint.url, retryAttempts: 0 }).iterate<CrashEventsSubscription>({
    query: CRASH_EVENTS,
    variables,
  });
  const stop = async () => void (await answers.return?.());
  onTestFinished(stop);

  async function next(): Promise<CrashEvent> {
    const { value } = await answers.next();
    if (value?.data == null || value.errors !== undefined)
      throw new Error(`no event but ${JSON.stringify(value)}`);
    return value.data.crashEvents;
  }

  return {
    next,
    stop,
    /** Takes events up to the first of this type. */
    async until(type: CrashEvent['type']): Promise<CrashEvent[]> {
      const taken = [await next()];
      while (taken.at(-1)?.type !== type) taken.push(await next());
      return taken;
    },
  };
}

/** Begins to follow from now on. */
export async function followFromNow(
  endpoint: Pick<GraphQLEndpoint, 'url'>,
  variables: CrashEventsSubscriptionVariables = {},
) {
  const follower = await followChanges(endpoint, variables);
  const { cursor } = await follower.next();
  return { ...follower, cursor };
}

/** What is told about some work: as "DELETED <id>", in the order of the ids, and nothing of before or after it. */
export async function toldOf(
  endpoint: Pick<GraphQLEndpoint, 'url' | 'fleet' | 'changes'>,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const { next, stop } = await followFromNow(endpoint);
  await work();
  // A thing of its own marks the end.
  const { globalId } = await endpoint.fleet.aModel();
  endpoint.changes.wake();
  const told = new Set<string>();
  for (let event = await next(); event.id !== globalId; event = await next()) {
    told.add(`${event.type} ${nameOf(event.id)}`);
  }
  await stop();
  return [...told].sort();
}

/** A global id as people read it: "Coredump:1". */
export function nameOf(id: string | null | undefined): string {
  return Buffer.from(id ?? '', 'base64').toString('latin1');
}
