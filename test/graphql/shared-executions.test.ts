import { createHash } from 'node:crypto';
import { buildSchema, type ExecutionArgs, type ExecutionResult, parse } from 'graphql';
import { createClient } from 'graphql-sse';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runAs } from '../../src/auth/actor.js';
import type { Person } from '../../src/auth/principal.js';
import { readConfig } from '../../src/config/settings.js';
import { createAnswerBudget } from '../../src/graphql/limits/answer-budget.js';
import type { Context } from '../../src/graphql/schema/context.js';
import type { Loaders } from '../../src/graphql/schema/loaders.js';
import { shareAnswers } from '../../src/graphql/server/shared-executions.js';
import { createEventChannel } from '../../src/platform/event-channel.js';
import { createMetrics } from '../../src/platform/metrics.js';
import { createUploadPriority } from '../../src/platform/upload-priority.js';
import { eventually } from '../support/app.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const MANY = 20;
const TWO_OPERATIONS = 'subscription One { told } subscription Other { as: told }';
const WITH_VARIABLE = 'subscription A($what: String) { told(what: $what) }';

describe('an event that many are told of', () => {
  it('is worked out once, and its rows are read once', async () => {
    const endpoint = await aGraphQLEndpoint();
    const dump = await aParsedDump(endpoint);
    const query = 'subscription { parseStatus { id parsedOutput device { key } } }';
    const all = Array.from({ length: MANY }, () => follow(endpoint, query));
    await listeners(endpoint, MANY);

    const statements = await endpoint.statementsOf(async () => {
      endpoint.events.publish(dump);
      for (const events of all) {
        expect((await events.next()).value?.data?.parseStatus).toMatchObject({ parsedOutput: OUTPUT });
      }
    });

    // The device, the size of the text, and the text.
    expect(statements).toHaveLength(3);
  });

  it('is worked out once where it is a crash group, which is read once as well', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const { groupId } = await aCrash(endpoint, device, {});
    const query = 'subscription { crashGroupUpdated { id title } }';
    const all = Array.from({ length: MANY }, () => follow(endpoint, query));
    const nexts = all.map((events) => events.next());
    await eventually(async () => endpoint.groupSubscribers() === MANY, 'all listen');

    const statements = await endpoint.statementsOf(async () => {
      endpoint.crashGroups.events.publish({ groupId: rowIdOf(groupId), kind: 'changed' });
      for (const next of nexts) expect((await next).value?.data?.crashGroupUpdated?.id).toBe(groupId);
    });

    expect(statements).toHaveLength(1);
  });

  it('is told to viewers and admins as each may see it', async () => {
    const endpoint = await aGraphQLEndpoint({ auth: TOKENS });
    const dump = await aParsedDump(endpoint);
    const query = 'subscription { parseStatus { parsedOutput } }';
    const tokens = ['admin', 'viewer', 'another-viewer', 'admin', 'viewer'];
    const all = tokens.map((token) => follow(endpoint, query, token));
    await listeners(endpoint, tokens.length);

    endpoint.events.publish(dump);
    const texts = await Promise.all(all.map(async (events) => (await events.next()).value?.data));

    const seen = texts.map((data) => data?.parseStatus?.parsedOutput);
    const [redacted] = seen.filter((text) => text !== OUTPUT);
    expect(redacted).not.toContain('secret');
    expect(seen).toEqual([OUTPUT, redacted, redacted, OUTPUT, redacted]);
  });

  it('has a download link of his own for each, and its rows are still read once', async () => {
    const endpoint = await aGraphQLEndpoint({ auth: TOKENS });
    const dump = await aParsedDump(endpoint);
    const query = 'subscription { parseStatus { downloadUrl device { key } } }';
    const tokens = ['viewer', 'another-viewer', 'admin'];
    const all = tokens.map((token) => follow(endpoint, query, token));
    await listeners(endpoint, tokens.length);
    const links: Array<string | undefined> = [];

    const statements = await endpoint.statementsOf(async () => {
      endpoint.events.publish(dump);
      for (const events of all)
        links.push((await events.next()).value?.data?.parseStatus?.downloadUrl ?? undefined);
    });

    const claims = links.map((link) => {
      const [, role, name = ''] = /link=\d+\.(\w+)\.([\w-]+)\./.exec(link ?? '') ?? [];
      return [role, Buffer.from(name, 'base64url').toString()];
    });
    expect(claims.map(([role]) => role)).toEqual(['viewer', 'viewer', 'admin']);
    expect(new Set(claims.map(([, name]) => name)).size).toBe(3);
    expect(statements).toHaveLength(1);
  });

  it('that fails is told to each under the id of his own request', async () => {
    const endpoint = await aGraphQLEndpoint();
    const dump = await aParsedDump(endpoint);
    const query = 'subscription { parseStatus { device { coredumpCount } } }';
    const all = Array.from({ length: 3 }, () => follow(endpoint, query));
    await listeners(endpoint, all.length);
    await endpoint.breakDatabase();

    endpoint.events.publish(dump);
    const answers = await Promise.all(all.map((events) => events.next()));

    const ids = answers.map(({ value }) => value?.errors?.[0]?.extensions.requestId);
    expect(new Set(ids).size).toBe(3);
    expect(ids).not.toContain(undefined);
  });
});

describe('answers of one event', () => {
  it('are one for subscribers of the same document, operation, variables and role', async () => {
    const world = aTinyWorld();
    const all = [
      await world.subscribe('subscription { told }', { kind: 'viewer', name: 'ada' }),
      await world.subscribe('subscription { told }', { kind: 'viewer', name: 'bob' }),
    ];

    const answers = await world.tell(all, () => 'something');

    expect(world.executions()).toBe(1);
    expect(answers.map(({ data }) => data)).toEqual([{ told: 'something' }, { told: 'something' }]);
  });

  it.each<[string, Subscription, Subscription]>([
    ['document', ['subscription { told }', {}], ['subscription { as: told }', {}]],
    ['operation', [TWO_OPERATIONS, {}, 'One'], [TWO_OPERATIONS, {}, 'Other']],
    ['variables', [WITH_VARIABLE, {}, 'A', { what: 'x' }], [WITH_VARIABLE, {}, 'A', { what: 'y' }]],
    ['role', ['subscription { told }', { kind: 'viewer' }], ['subscription { told }', { kind: 'admin' }]],
  ])('are two where the %s differs', async (_, one, other) => {
    const world = aTinyWorld();
    const all = [await world.subscribe(...one), await world.subscribe(...other)];

    await world.tell(all, ({ what }, { person }) => `${what} for ${person.kind}`);

    expect(world.executions()).toBe(2);
  });

  it.each(['name', 'subject', 'via', 'until'] as const)(
    'are of each alone where a resolver looks at the %s of who asks',
    async (key) => {
      const world = aTinyWorld();
      const people = ['ada', 'bob', 'ada'].map((name) => ({ kind: 'viewer' as const, name }));
      const all = await Promise.all(people.map((person) => world.subscribe('subscription { told }', person)));

      const answers = await world.tell(all, (_, { person }) => `${person[key]} ${person.name}`);

      expect(world.executions()).toBe(3);
      expect(answers.map(({ data }) => String(data?.told).split(' ')[1])).toEqual(['ada', 'bob', 'ada']);
    },
  );

  it('are worked out anew for who comes late', async () => {
    const world = aTinyWorld({ sharedForMs: 1 });
    const [first, late] = [
      await world.subscribe('subscription { told }', {}),
      await world.subscribe('subscription { told }', {}),
    ];
    const event = world.publish(() => 'then');
    await first.next();

    await new Promise((resolve) => setTimeout(resolve, 50));
    Object.assign(event, { told: world.counted(() => 'now') });

    expect((await late.next()).value?.data).toEqual({ told: 'now' });
    expect(world.executions()).toBe(2);
  });

  it('go on for the others when one subscriber leaves', async () => {
    const world = aTinyWorld();
    const [leaving, staying] = [
      await world.subscribe('subscription { told }', {}),
      await world.subscribe('subscription { told }', {}),
    ];
    world.publish(() => 'first');
    const pending = leaving.next();
    await leaving.return?.();

    expect((await staying.next()).value?.data).toEqual({ told: 'first' });
    await pending;
    expect(await leaving.next()).toMatchObject({ done: true });
    expect(world.subscribers()).toBe(1);
  });
});

const OUTPUT = '#0  0x42009351 in send (key="secret") at main.c:3';

const digest = (token: string) => createHash('sha256').update(token).digest('hex');
const TOKENS = {
  issuer: null,
  tokens: { admin: [digest('admin')], uploader: [], viewer: [digest('viewer'), digest('another-viewer')] },
  trustedPublishers: [],
};

async function aParsedDump({ fleet, coredumps }: GraphQLEndpoint) {
  const device = await fleet.aDevice(await fleet.aModel());
  const { id } = await fleet.aDump(device, { parseStatus: 'PARSED', output: OUTPUT });
  const row = await coredumps.get(id);
  if (row === null) throw new Error('the dump was made');
  return row;
}

interface Told {
  data?: Record<string, Record<string, string | null> | null> | null;
  errors?: ReadonlyArray<{ extensions: { requestId?: string } }>;
}

function follow({ url }: GraphQLEndpoint, query: string, token?: string): AsyncIterator<Told> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const client = createClient({ url, retryAttempts: 0, headers });
  onTestFinished(() => client.dispose());
  return client.iterate({ query }) as unknown as AsyncIterator<Told>;
}

async function listeners({ events }: GraphQLEndpoint, count: number): Promise<void> {
  await eventually(async () => events.subscriberCount() === count, `${count} listen`);
}

function rowIdOf(globalId: string): number {
  return Number(Buffer.from(globalId, 'base64').toString().split(':')[1]);
}

type Subscription = [
  document: string,
  person: Partial<Person>,
  operationName?: string,
  variables?: Record<string, string>,
];
type Tell = (args: { what?: string }, context: Context) => string;

/** A schema of one field, whose value an event makes itself. */
function aTinyWorld(options: { sharedForMs?: number } = {}) {
  const schema = buildSchema('type Query { told: String } type Subscription { told(what: String): String }');
  const channel = createEventChannel<{ told: Tell }>();
  const documents = new Map<string, ReturnType<typeof parse>>();
  const answers = createAnswerBudget(readConfig({}).answerLimits, {
    uploadPriority: createUploadPriority(),
    metrics: createMetrics(),
  });
  let executions = 0;
  let subscribe: ((args: ExecutionArgs) => unknown) | undefined;
  const plugin = shareAnswers({
    contextOf: ({ person }) => ({ person, answer: answers.open('') }) as Context,
    createLoaders: () => ({}) as Loaders,
    ...options,
  });
  plugin.onSubscribe?.({
    setSubscribeFn: (given: typeof subscribe) => {
      subscribe = given;
    },
  } as never);

  const counted =
    (tell: Tell): Tell =>
    (...given) => {
      executions += 1;
      return tell(...given);
    };
  const publish = (tell: Tell) => {
    const event = { told: counted(tell) };
    channel.publish(event);
    return event;
  };

  return {
    executions: () => executions,
    subscribers: channel.subscriberCount,
    counted,
    publish,
    async subscribe(...[text, given, operationName, variableValues]: Subscription) {
      const person: Person = { kind: 'viewer', name: 'ada', via: 'token', until: null, ...given };
      const document = documents.get(text) ?? parse(text);
      documents.set(text, document);
      const rootValue = { told: () => channel.subscribe(() => true) };
      const args = { schema, document, rootValue, operationName, variableValues, contextValue: {} };
      const actor = { person, address: '', requestId: person.name };
      return (await runAs(actor, () => subscribe?.(args as never))) as AsyncIterableIterator<ExecutionResult>;
    },
    async tell(all: ReadonlyArray<AsyncIterableIterator<ExecutionResult>>, tell: Tell) {
      publish(tell);
      return Promise.all(
        all.map(async (events) => {
          const { value } = await events.next();
          return value as ExecutionResult;
        }),
      );
    },
  };
}
