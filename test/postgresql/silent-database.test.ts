import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { aDevice, aServer, errorOf, eventually, stored, upload } from '../support/app.js';
import { aDatabaseUrl } from '../support/database.js';
import { aPostgresqlProxy } from '../support/postgresql-proxy.js';

const LIMIT = { DATABASE_STATEMENT_TIMEOUT_MS: '1000' };
const QUERY = '{ coredumps { nodes { id device { key } } } devices { nodes { key } } }';

describe('a PostgreSQL that says nothing any more, while its connections stay open', () => {
  it('leaves no request without an answer, and is used again when it speaks', async () => {
    const proxy = await aPostgresqlProxy(await aDatabaseUrl(''));
    const app = await aServer({ DATABASE_URL: proxy.url, ...LIMIT });
    await aDevice(app);
    const { coredumpId } = await stored(app, 'before');
    // Half of the pool is in use, the other half is yet to be opened.
    await Promise.all(Array.from({ length: 5 }, () => ask(app.url)));
    const path = `/api/coredumps/${encodeURIComponent(coredumpId)}/download`;

    proxy.fallSilent();
    const [uploads, downloads, answers, ready] = await Promise.all([
      Promise.all(
        Array.from({ length: 20 }, async (_, index) => errorOf(await upload(app, `dump ${index}`))),
      ),
      Promise.all(Array.from({ length: 5 }, async () => errorOf(await fetch(app.url + path)))),
      Promise.all(Array.from({ length: 5 }, () => ask(app.url))),
      fetch(`${app.url}/readyz`),
    ]);

    for (const answer of [...uploads, ...downloads])
      expect(answer).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    for (const { errors } of answers) {
      expect(errors?.[0]).toMatchObject({
        message: 'The database is not available now; try again.',
        extensions: { code: 'INTERNAL_SERVER_ERROR' },
      });
    }
    expect(ready.status).toBe(503);

    proxy.restore();
    await eventually(async () => (await upload(app, 'after')).status === 201, 'an upload is stored again');
    expect((await ask(app.url)).errors).toBeUndefined();
    expect(await (await fetch(app.url + path)).text()).toBe('before');
  });
});

describe('a stop while the connection that listens is being made', () => {
  it('comes to its end', { timeout: 60_000 }, async () => {
    const url = await aDatabaseUrl('');
    const proxy = await aPostgresqlProxy(url);
    const { announcements, close } = await openDatabase(proxy.url);
    const nobody = { isWanted: () => false, onChanged: async () => {} };
    await announcements.follow({ Coredump: nobody, CrashGroup: nobody });
    proxy.fallSilent();
    const somebody = new pg.Client(url);
    await somebody.connect();
    onTestFinished(() => somebody.end());
    await somebody.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE pid <> pg_backend_pid() AND datname = current_database()`,
    );
    await eventually(async () => !announcements.isHearing(), 'the listener to be without a connection');
    // It has begun to make another one by then.
    await pause(1_500);

    const ended = await Promise.race([close().then(() => 'ended'), pause(8_000, 'still there')]);

    expect(ended).toBe('ended');
  });
});

describe('a statement that waits for a lock for ever', () => {
  it('fails its request, and no other', async () => {
    const app = await aServer(LIMIT);
    await aDevice(app);
    const { coredumpId } = await stored(app, 'before');
    const somebody = new pg.Client(app.config.databaseUrl);
    await somebody.connect();
    onTestFinished(() => somebody.end());
    await somebody.query('BEGIN');
    await somebody.query('LOCK TABLE "Coredump" IN ACCESS EXCLUSIVE MODE');

    const refused = await errorOf(await upload(app, 'meanwhile'));
    const other = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: '{ devices { nodes { key } } }' }),
    });
    await somebody.query('COMMIT');

    expect(refused).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(await other.json()).toEqual({ data: { devices: { nodes: [{ key: 'dev1' }] } } });
    await eventually(async () => (await upload(app, 'after')).status === 201, 'an upload is stored again');
    expect(coredumpId).not.toBe('');
  });

  it('is no turn: who waits for one waits longer than a statement may take', async () => {
    const url = await aDatabaseUrl('');
    const [one, other] = [
      await openDatabase(url, { statementLimitMs: 1_000 }),
      await openDatabase(url, { statementLimitMs: 1_000 }),
    ];
    onTestFinished(one.close);
    onTestFinished(other.close);
    const steps: string[] = [];
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });

    const first = one.runExclusive('firmware', async () => {
      begun();
      await pause(2_500);
      steps.push('one');
    });
    await hasBegun;
    await other.runExclusive('firmware', async () => void steps.push('other'));
    await first;

    expect(steps).toEqual(['one', 'other']);
  });
});

async function ask(url: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query: QUERY }),
  });
  return (await response.json()) as {
    errors?: Array<{ message: string; extensions: { code: string } }>;
  };
}
