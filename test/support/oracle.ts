import { createHash } from 'node:crypto';
import { type ExecutionResult, execute, parse } from 'graphql';
import { createClient as createEventClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { CoredumpRow } from '../../src/coredumps/types.js';
import { encodeGlobalId } from '../../src/global-ids.js';
import { schema } from '../../src/graphql/schema/schema.js';
import { createErrorMask } from '../../src/graphql/server/error-mask.js';
import { createSystemClock } from '../../src/platform/clock.js';
import type { Asking } from '../fuzz/random-document.js';
import { aCrash, aReport } from './crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from './graphql-server.js';

export interface Question extends Asking {
  query: string;
  token: string;
}

/** Velocities and links depend on it. */
const NOW = new Date('2026-02-11T14:30:00.000Z');
const PEOPLE = ['admin', 'viewer', 'another-viewer'];
/** Documents whose answers are small all the same: every list of the fleet is. */
const LIMITS = { GRAPHQL_MAX_COST: '100000000', GRAPHQL_MAX_DEPTH: '30', GRAPHQL_MAX_TOKENS: '100000' };

export type Oracle = Awaited<ReturnType<typeof anOracle>>;

/** A fleet behind the real endpoint, and the answers that graphql-js itself gives with the same schema and rows. */
export async function anOracle() {
  const endpoint = await aGraphQLEndpoint({
    auth: {
      issuer: null,
      tokens: { admin: [digest('admin')], uploader: [], viewer: PEOPLE.slice(1).map(digest) },
      trustedPublishers: [],
    },
    clock: { ...createSystemClock(), now: () => NOW },
    environment: LIMITS,
    queriesApart: true,
  });
  const values = await furnish(endpoint);
  const mask = createErrorMask(pino({ level: 'silent' }));
  const ways = [post, get, stream, socketsOf(endpoint)];

  return {
    endpoint,
    values,
    people: PEOPLE,
    /** A subscription that is open, with each of its answers, and what graphql-js makes of an event for it. */
    follow: (question: Question) => followed(question, endpoint),
    async executedOn(
      event: CoredumpRow,
      { query, operationName, variables, token }: Question,
    ): Promise<string> {
      const contextValue = await endpoint.contextFor(token);
      const document = parse(query);
      return shown(
        await execute({
          schema,
          document,
          operationName,
          variableValues: variables,
          contextValue,
          rootValue: event,
        }),
      );
    },
    /** By one of the ways that lead in. */
    ask: (question: Question, random: () => number): Promise<string> => {
      const way = ways[Math.floor(random() * ways.length)] ?? post;
      return way(question, endpoint.url);
    },
    async executed({ query, operationName, variables, token }: Question): Promise<string> {
      const contextValue = await endpoint.contextFor(token);
      const document = parse(query);
      return shown(
        await execute({ schema, document, operationName, variableValues: variables, contextValue }),
      );
    },
  };

  /** Errors as clients see them. */
  function shown({ data, errors }: ExecutionResult): string {
    return normal({ data, errors: errors?.map((error) => mask(error, 'none').toJSON()) });
  }
}

/** An answer as text, for `agree`: the order of errors is nobody's promise. */
export function normal({
  data = null,
  errors = [],
}: {
  data?: unknown;
  errors?: readonly object[] | undefined;
}): string {
  const told = errors.map((error) => {
    const { message, path, extensions } = error as {
      message: string;
      path?: Array<string | number>;
      extensions?: { code?: string };
    };
    const taken = placeTaken(data, path ?? []);
    return { taken, error: JSON.stringify([path ?? null, message, extensions?.code ?? null]) };
  });
  const shown = told.flatMap(({ taken, error }) => (taken === null ? [error] : [])).sort();
  const below: Record<string, string[]> = {};
  for (const { taken, error } of told)
    if (taken !== null) below[taken] = [...(below[taken] ?? []), error].sort();
  return JSON.stringify({ data, errors: shown, below });
}

/**
 * Whether two answers say the same. Where an error took the place away in which others were, how many of those come
 * along is a matter of time; one is in both.
 */
export function agree(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [JSON.parse(one), JSON.parse(other)];
  const places = Object.keys(a.below).sort();
  return (
    JSON.stringify([a.data, a.errors, places]) ===
      JSON.stringify([b.data, b.errors, Object.keys(b.below).sort()]) &&
    places.every((place) => a.below[place].some((error: string) => b.below[place].includes(error)))
  );
}

/** The part of a path that ends in a null, where the path goes on; null when it is there up to its last part. */
function placeTaken(data: unknown, path: ReadonlyArray<string | number>): string | null {
  let place: unknown = data;
  for (const [depth, key] of path.entries()) {
    if (place == null) return JSON.stringify(path.slice(0, depth));
    place = (place as Record<string | number, unknown>)[key];
  }
  return null;
}

async function post({ token, ...body }: Question, url: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  return normal((await response.json()) as object);
}

async function get({ token, query, operationName, variables }: Question, url: string): Promise<string> {
  const search = new URLSearchParams({ query, operationName, variables: JSON.stringify(variables) });
  const response = await fetch(`${url}?${search}`, { headers: { Authorization: `Bearer ${token}` } });
  return normal((await response.json()) as object);
}

async function stream({ token, ...body }: Question, url: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'text/event-stream',
      Authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const data = /^event: next\ndata: (.*)$/m.exec(text)?.[1];
  if (data === undefined) throw new Error(`no event: ${text}`);
  return normal(JSON.parse(data) as object);
}

function followed({ token, ...payload }: Question, { url }: GraphQLEndpoint): AsyncIterator<unknown> {
  const client = createEventClient({ url, retryAttempts: 0, headers: { Authorization: `Bearer ${token}` } });
  onTestFinished(() => client.dispose());
  return client.iterate(payload);
}

/** One connection for each person. */
function socketsOf({ webSocketUrl }: GraphQLEndpoint) {
  const clients = new Map(
    PEOPLE.map((token) => {
      const connectionParams = { authorization: `Bearer ${token}` };
      const client = createClient({
        url: webSocketUrl,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams,
        lazy: true,
      });
      onTestFinished(async () => client.dispose());
      return [token, client];
    }),
  );
  return async ({ token, ...payload }: Question): Promise<string> => {
    for await (const result of clients.get(token)?.iterate(payload) ?? []) return normal(result);
    throw new Error('nothing came over the WebSocket');
  };
}

/** Some of everything. @returns what arguments may name of it, and what they may not */
async function furnish(endpoint: GraphQLEndpoint) {
  const { fleet, db } = endpoint;
  const models = [
    await fleet.aModel({ code: 'pump', name: 'Pump' }),
    await fleet.aModel({ code: 'valve', name: 'Valve' }),
  ] as const;
  const devices = [
    await fleet.aDevice(models[0], { key: 'dev1', name: 'Hallway' }),
    await fleet.aDevice(models[0], { key: 'dev2' }),
    await fleet.aDevice(models[1], { key: 'dev3', name: 'Cellar' }),
  ] as const;
  const firmware = await fleet.aFirmware(models[0], { version: '1.0.0' });
  const at = (hours: number) => new Date(NOW.getTime() - hours * 3_600_000);
  const crashes = [
    await aCrash(endpoint, devices[0], { place: 'sensor_read', at: at(1), output: OUTPUT }),
    await aCrash(endpoint, devices[1], { place: 'sensor_read', at: at(30), version: '1.1.0', chip: 'esp32' }),
    await aCrash(endpoint, devices[2], { place: 'wifi_task', at: at(50), output: OUTPUT }),
  ];
  const dumps = [
    await fleet.aDump(devices[0]),
    await fleet.aDump(devices[0], { parseStatus: 'ERROR', output: 'no firmware' }),
    await fleet.aDump(devices[2], {
      parseStatus: 'PARSED',
      firmwareId: firmware.id,
      output: OUTPUT,
      report: aReport({ place: 'main' }),
    }),
  ];
  await db.alertRule.create({
    data: {
      name: 'everything',
      url: 'https://hooks.example/secret',
      format: 'GENERIC',
      secret: 'secret',
      onNew: true,
      onRegression: false,
      modelId: models[0].id,
      createdAt: NOW,
    },
  });
  const groups = crashes.map(({ groupId }) => groupId);
  const ids = [
    ...[...models, ...devices, ...dumps, firmware, ...crashes.map(({ dump }) => dump)].map(
      ({ globalId }) => globalId,
    ),
    ...groups,
    ...[encodeGlobalId('Device', 4711), encodeGlobalId('Coredump', 4711), encodeGlobalId('CrashGroup', 4711)],
  ];
  return {
    ID: ids,
    String: ['dev1', 'none'],
    Int: [0, 1, 2, 3],
    first: [0, 1, 1, 2, 2, 3, 4, -1],
    last: [0, 1, 2, 3],
    if: [true, false],
    Boolean: [true, false],
    key: ['dev1', 'dev2', 'dev3', 'none'],
    deviceKey: ['dev1', 'dev3', 'none'],
    code: ['pump', 'valve', 'none'],
    modelCode: ['pump', 'valve', 'none'],
    chip: ['esp32', 'esp32c3'],
    firmwareVersion: ['1.0.0', '1.1.0'],
    fingerprint: ['v1:sensor_read', 'v1:none'],
    search: ['dev1', 'hall', 'sensor read', ''],
    query: ['sensor', 'hall', '"main"'],
    name: ['Device', 'CoredumpFilter', 'None'],
    after: [cursor(3), cursor(1), 'none'],
    before: [cursor(2), cursor(6)],
    DateTime: ['2026-02-11T00:00:00Z', '2026-02-10T00:00:00.000+01:00', '2026-02-12T00:00:00Z'],
  };
}

const OUTPUT = '#0  0x42009351 in send (key="secret") at main.c:3\nesp32c3 sensor read';

function cursor(id: number): string {
  return Buffer.from(`id:${id}`).toString('base64');
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
