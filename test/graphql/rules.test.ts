import { type ExecutionResult, execute, parse, subscribe, validate } from 'graphql';
import { Upload } from 'graphql-upload-minimal';
import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import type { Context } from '../../src/graphql/schema/context.js';
import { schema } from '../../src/graphql/schema/schema.js';
import { aDevice, aServer, bearer } from '../support/app.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { everyField } from '../support/walk.js';

const FIELDS = everyField(schema, { ID: JSON.stringify(encodeGlobalId('Device', 1)) });

/** Mutations that viewers may use, too. */
const FOR_VIEWERS = [
  // It stores nothing.
  'decodeCrash',
  'addGroupComment',
  'editGroupComment',
  'deleteGroupComment',
  'saveView',
  'deleteSavedView',
];

describe('the schema', () => {
  it('is walked to its last field', () => {
    const types = Object.values(schema.getTypeMap()).filter(
      (type) => 'getFields' in type && 'getInterfaces' in type && !type.name.startsWith('__'),
    );
    const walked = new Set(FIELDS.map(({ name }) => name.split('.')[0]));

    const unwalked = types.map(({ name }) => name).filter((name) => !walked.has(name) && name !== 'Node');
    expect(unwalked).toEqual([]);
    for (const { document } of FIELDS) expect(validate(schema, parse(document)), document).toEqual([]);
  });

  it.each(FIELDS.map((field) => [field.name, field] as const))(
    'is closed by a rule of its own, whatever the endpoint does: %s',
    async (_, { document, operation }) => {
      const args = {
        schema,
        document: parse(document),
        variableValues: { upload: new Upload() },
        contextValue: nobody(),
      };

      const result = (await (operation === 'subscription'
        ? subscribe(args)
        : execute(args))) as ExecutionResult;

      expect(result.errors?.map(({ originalError }) => originalError)).toMatchObject([{ code: 'FORBIDDEN' }]);
      expect(Object.values(result.data ?? {}).filter((value) => value !== null)).toEqual([]);
    },
  );

  it.each(
    FIELDS.filter(({ operation, root }) => operation === 'mutation' && !FOR_VIEWERS.includes(root)).map(
      ({ name, document }) => [name, document],
    ),
  )('lets no viewer change anything but comments and saved views: %s', async (_, document) => {
    const result = await execute({
      schema,
      document: parse(document),
      variableValues: { upload: new Upload() },
      contextValue: nobody('viewer'),
    });

    expect(result.errors?.map(({ originalError }) => originalError)).toMatchObject([{ code: 'FORBIDDEN' }]);
  });
});

describe('the endpoint', () => {
  it('tells strangers and devices nothing, not even what there would be', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { token } = await aDevice(app);
    const documents = [
      ...FIELDS.map(({ document }) => document),
      '{ __schema { types { name } } }',
      '{ __type(name: "Query") { name } }',
      '{ __typename }',
      '{ devicess { id } }',
      '{ devices(',
    ];

    for (const query of documents) {
      for (const [who, status, code] of [
        [undefined, 401, 'UNAUTHENTICATED'],
        [token, 403, 'FORBIDDEN'],
      ] as const) {
        const response = await post(app.url, query, who);

        expect(response.status, query).toBe(status);
        const body = (await response.json()) as object;
        expect(body).toEqual({ errors: [{ message: expect.any(String), extensions: { code } }] });
        expect(JSON.stringify(body)).not.toContain('Did you mean');
      }
    }
  });

  it('shows GraphiQL only to who shows a token, and lets a browser show one', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const url = `${app.url}/graphql`;
    const html = { Accept: 'text/html' };
    const signIn = (token: string, headers = {}) =>
      fetch(url, { method: 'POST', headers, body: new URLSearchParams({ token }) });

    const page = await fetch(url, { headers: html });
    expect(page.status).toBe(401);
    expect(await page.text()).toMatch(/<form method="post"[\s\S]*name="token"/);
    expect(await (await fetch(url, { headers: { ...html, ...bearer(VIEWER) } })).text()).toContain(
      'id="graphiql-options"',
    );

    const wrong = await signIn('"><script>alert(1)</script>');
    expect(wrong.status).toBe(401);
    expect(await wrong.text()).not.toMatch(/graphiql-options|<script>/);
    // A session of the browser, which then asks again; the token is in no page.
    const right = await fetch(url, {
      method: 'POST',
      headers: { Origin: app.url },
      redirect: 'manual',
      body: new URLSearchParams({ token: VIEWER }),
    });
    expect(right.status).toBe(303);
    expect(right.headers.get('cache-control')).toBe('no-store');
    expect(right.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict/);
    expect(await right.text()).not.toContain(VIEWER);
    expect((await signIn(VIEWER, { Origin: 'https://evil.example' })).status).toBe(401);
  });

  it('is open to everybody where nothing is configured', async () => {
    const app = await aServer();

    expect((await fetch(`${app.url}/graphql`, { headers: { Accept: 'text/html' } })).status).toBe(200);
    expect((await post(app.url, '{ __schema { types { name } } }')).status).toBe(200);
    expect((await fetch(`${app.url}/metrics`)).status).toBe(200);
  });
});

describe('health', () => {
  it('is for anybody, metrics are for viewers', async () => {
    const app = await aServer(STATIC_TOKENS);
    const status = async (path: string, token?: string) =>
      (await fetch(app.url + path, { headers: bearer(token) })).status;

    expect(await status('/healthz')).toBe(200);
    expect(await status('/readyz')).toBe(200);
    expect(await status('/metrics')).toBe(401);
    expect(await status('/metrics', VIEWER)).toBe(200);
  });
});

/** A context with which nothing can be read, of somebody without a role, or with too small a one. */
function nobody(kind: 'nobody' | 'viewer' = 'nobody'): Context {
  const person = { kind, name: 'test', via: 'token', until: null };
  const trap = new Proxy(
    {},
    {
      get() {
        throw new Error('a resolver was run');
      },
    },
  );
  return { person, db: trap, services: trap, loaders: trap, devices: trap } as unknown as Context;
}

function post(url: string, query: string, token?: string): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ query }),
  });
}
