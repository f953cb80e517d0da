import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { aServer, type TestApp } from '../support/app.js';
import { answerOf } from '../support/graphql-server.js';

const COUNT = 'query Count { coredumps { totalCount } }';
const HASH = 'f'.repeat(64);
const ANSWER = { coredumps: { totalCount: 0 } };

async function aServerWith(documents: string | object, environment: Record<string, string> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-documents-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, 'documents.json');
  await writeFile(path, typeof documents === 'string' ? documents : JSON.stringify(documents));
  return aServer({ PERSISTED_DOCUMENTS: path, ...environment });
}

async function post(app: TestApp, body: object) {
  const init = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
  return answerOf(await fetch(`${app.url}/graphql`, init));
}

describe('a persisted document', () => {
  it('is run by its id, whichever way that is sent', async () => {
    const app = await aServerWith({ [HASH]: COUNT });

    const answers = [
      await post(app, { documentId: HASH }),
      await post(app, { documentId: `sha256:${HASH}` }),
      await post(app, { extensions: { persistedQuery: { version: 1, sha256Hash: HASH } } }),
      await answerOf(await fetch(`${app.url}/graphql?documentId=${HASH}`)),
    ];

    for (const answer of answers) expect(answer).toEqual({ status: 200, data: ANSWER, errors: [] });
  });

  it('leaves other documents alone, unless it is told not to', async () => {
    const free = await aServerWith({ [HASH]: COUNT });
    const strict = await aServerWith({ [HASH]: COUNT }, { PERSISTED_DOCUMENTS_ONLY: 'true' });
    const own = { query: '{ __typename }' };

    expect((await post(free, own)).data).toEqual({ __typename: 'Query' });
    expect(await post(strict, own)).toMatchObject({
      status: 403,
      errors: [{ message: expect.stringContaining('documentId'), extensions: { code: 'FORBIDDEN' } }],
    });
    expect((await post(strict, { documentId: HASH })).data).toEqual(ANSWER);
  });

  it('is the only kind over WebSocket too', async () => {
    const app = await aServerWith({ [HASH]: COUNT }, { PERSISTED_DOCUMENTS_ONLY: 'true' });
    const client = createClient({
      url: `${app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
    });
    onTestFinished(async () => client.dispose());

    const own = await client
      .iterate({ query: '{ __typename }' })
      .next()
      .catch((errors: unknown) => errors);
    const named = await client
      .iterate({ query: '', extensions: { persistedQuery: { sha256Hash: HASH } } })
      .next();

    expect(own).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect(named.value).toMatchObject({ data: ANSWER });
  });

  it('that nobody knows is named', async () => {
    const app = await aServerWith({ [HASH]: COUNT });

    expect(await post(app, { documentId: 'nothing' })).toMatchObject({
      status: 404,
      errors: [
        { message: 'There is no persisted document "nothing".', extensions: { code: 'BAD_USER_INPUT' } },
      ],
    });
  });

  it('is asked for again with its text, as Apollo does, where nobody knows its hash', async () => {
    const app = await aServerWith({ [HASH]: COUNT });
    const strict = await aServerWith({ [HASH]: COUNT }, { PERSISTED_DOCUMENTS_ONLY: 'true' });
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } };
    const unknown = { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } };

    expect(await post(app, { extensions })).toEqual({ status: 200, data: null, errors: [unknown] });
    expect(await post(strict, { extensions })).toEqual({ status: 200, data: null, errors: [unknown] });
    expect((await post(app, { extensions, query: '{ __typename }' })).data).toEqual({ __typename: 'Query' });
    expect(await post(strict, { extensions, query: '{ __typename }' })).toMatchObject({
      status: 403,
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    // Not even then is it kept.
    expect((await post(app, { extensions })).errors).toEqual([unknown]);
  });

  it('is said to be not supported where there are none', async () => {
    const app = await aServer();
    const extensions = { persistedQuery: { version: 1, sha256Hash: HASH } };
    const error = {
      message: 'PersistedQueryNotSupported',
      extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' },
    };
    const client = createClient({
      url: `${app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
    });
    onTestFinished(async () => client.dispose());

    expect(await post(app, { extensions })).toEqual({ status: 200, data: null, errors: [error] });
    const search = new URLSearchParams({ extensions: JSON.stringify(extensions) });
    const got = await fetch(`${app.url}/graphql?${search}`, {
      headers: { Accept: 'application/graphql-response+json' },
    });
    expect([got.status, await got.json()]).toEqual([400, { errors: [error] }]);
    await expect(client.iterate({ query: '', extensions }).next()).rejects.toEqual([error]);
    expect((await post(app, { extensions, query: COUNT })).data).toEqual(ANSWER);
  });

  it.each([
    ['no JSON', '{'],
    ['no documents', '{}'],
    ['something else', '{"a":1}'],
    ['a broken document', '{"a":"query {"}'],
  ])('stops the start when the file has %s', async (_, content) => {
    await expect(aServerWith(content)).rejects.toThrow(/^PERSISTED_DOCUMENTS: .*documents\.json/);
  });
});
