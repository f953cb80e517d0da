import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/app.js';
import {
  type ChangeFollower,
  CRASH_EVENTS,
  followChanges,
  followFromNow,
  nameOf,
} from '../support/change-follower.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, answerOf, type GraphQLEndpoint } from '../support/graphql-server.js';

describe('a client that was away', () => {
  it('gets what has changed since its cursor, each thing once, then READY, then what happens now', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { fleet, db } = endpoint;
    const model = await fleet.aModel();
    const device = await fleet.aDevice(model);
    const kept = await fleet.aDump(device);
    const gone = await fleet.aDump(device);
    const since = await cursorOfNow(endpoint);

    const arrived = await fleet.aDump(device);
    await db.coredump.updateMany({ data: { parseStatus: 'PARSED' } });
    await db.coredump.updateMany({ data: { parseErrorKind: 'other' } });
    await db.coredump.delete({ where: { id: gone.id } });
    const { until, next } = await followChanges(endpoint, { since });
    const missed = await until('READY');
    const later = await fleet.aDump(device);
    endpoint.changes.wake();

    expect(missed.map(({ type, id }) => `${type} ${nameOf(id)}`)).toEqual([
      `CHANGED ${nameOf(kept.globalId)}`,
      `ARRIVED ${nameOf(arrived.globalId)}`,
      `DELETED ${nameOf(gone.globalId)}`,
      'READY ',
    ]);
    expect(missed[0]?.coredump?.parseStatus).toBe('PARSED');
    expect(await next()).toMatchObject({ type: 'ARRIVED', id: later.globalId });
  });

  it('continues after any event: nothing is left out, and what it had does not come again', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const since = await cursorOfNow(endpoint);
    const dumps = [];
    for (let n = 0; n < 5; n++) dumps.push((await endpoint.fleet.aDump(device)).globalId);

    const all = await (await followChanges(endpoint, { since })).until('READY');
    for (const [at, { cursor }] of all.entries()) {
      const rest = await (await followChanges(endpoint, { since: cursor })).until('READY');
      expect(rest.map(({ id }) => id)).toEqual([...dumps.slice(at + 1), null]);
    }
  });

  it('gets all of more changes than are read at once', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { db, fleet } = endpoint;
    const device = await fleet.aDevice(await fleet.aModel());
    const since = await cursorOfNow(endpoint);
    const data = Array.from({ length: 1_203 }, (_, n) => ({
      ...{
        deviceId: device.id,
        filename: `${n}.dmp`,
        chip: 'esp32',
        firmwareVersion: '1',
        crashVersion: '1',
        size: 1,
      },
      ...{ sha256: String(n), uploadedAt: new Date(), parseStatus: 'PENDING' },
    }));
    await db.coredump.createMany({ data });

    const missed = await (await followChanges(endpoint, { since })).until('READY');

    expect(new Set(missed.map(({ id }) => id)).size).toBe(1_204);
    expect(missed).toHaveLength(1_204);
  });

  it('is told of a GAP after the changes since its cursor were removed by their age', async () => {
    const endpoint = await aGraphQLEndpoint();
    const since = await cursorOfNow(endpoint);
    await endpoint.fleet.aModel();
    await allHaveEnded(endpoint);
    const kept = await cursorOfNow(endpoint);
    await endpoint.db.$executeRaw`UPDATE "Change" SET "at" = ${new Date(Date.now() - 25 * 60 * 60 * 1000)}`;
    await endpoint.changes.prune();

    const { until } = await followChanges(endpoint, { since });
    const told = await until('READY');
    const later = await (await followChanges(endpoint, { since: kept })).until('READY');

    expect(told.map(({ type, id }) => ({ type, id }))).toEqual([
      { type: 'GAP', id: null },
      { type: 'READY', id: null },
    ]);
    expect(later.map(({ type }) => type)).toEqual(['READY']);
    expect(await endpoint.db.change.count()).toBe(0);
  });

  it('keeps changes that are younger than a day', async () => {
    const endpoint = await aGraphQLEndpoint();
    const since = await cursorOfNow(endpoint);
    const { globalId } = await endpoint.fleet.aModel();
    await endpoint.db.$executeRaw`UPDATE "Change" SET "at" = ${new Date(Date.now() - 23 * 60 * 60 * 1000)}`;

    await endpoint.changes.prune();

    const missed = await (await followChanges(endpoint, { since })).until('READY');
    expect(missed.map(({ id }) => id)).toEqual([globalId, null]);
  });

  it('is told of a GAP when its cursor is of another database', async () => {
    const [endpoint, other] = [await aGraphQLEndpoint(), await aGraphQLEndpoint()];
    // Databases of tests are copies of one; those of two installations have each their own.
    await other.db.changeFeed.updateMany({ data: { uuid: '0'.repeat(32) } });

    const { until } = await followChanges(endpoint, { since: await cursorOfNow(other) });

    expect((await until('READY')).map(({ type }) => type)).toEqual(['GAP', 'READY']);
  });

  it('is told of a GAP when the database was restored from a copy of before its cursor', async () => {
    const endpoint = await aGraphQLEndpoint();
    const cursor = Buffer.from(await cursorOfNow(endpoint), 'base64').toString('latin1');
    const since = Buffer.from(
      cursor.replace(/[^/]+$/, FUTURE[endpoint.databaseUrl.split(':')[0] ?? ''] ?? ''),
    );

    const { until } = await followChanges(endpoint, { since: since.toString('base64') });

    expect((await until('READY')).map(({ type }) => type)).toEqual(['GAP', 'READY']);
  });

  it.each(['garbage', '', 'bm90IGEgY3Vyc29y', Buffer.from('changes1/x/1').toString('base64')])(
    'is refused with the cursor "%s", which is none',
    async (since) => {
      const endpoint = await aGraphQLEndpoint();

      const response = await subscribe(endpoint, { variables: { since } });

      const { errors } = await answerOfStream(response);
      expect(errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT', field: 'since' }, path: ['crashEvents'] },
      ]);
      expect(errors[0]?.message).toContain('since');
    },
  );
});

describe('server-sent events of crashEvents', () => {
  it('have the cursor as their id, from which Last-Event-ID continues', async () => {
    const endpoint = await aGraphQLEndpoint();
    const query = 'subscription { crashEvents { type id: subjectId } }';
    const first = await read(await subscribe(endpoint, { query }), 1);
    const { globalId } = await endpoint.fleet.aModel();

    const lastEventId = first[0]?.id ?? '';
    const response = await subscribe(endpoint, { query }, { 'Last-Event-ID': lastEventId });
    const events = await read(response, 2);

    expect(first).toMatchObject([{ data: { crashEvents: { type: 'READY' } } }]);
    expect(lastEventId).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(events.map(({ data }) => data.crashEvents)).toEqual([
      { type: 'ARRIVED', id: globalId },
      { type: 'READY', id: null },
    ]);
  });

  it('begin at `since` where both are given', async () => {
    const endpoint = await aGraphQLEndpoint();
    const old = await cursorOfNow(endpoint);
    await endpoint.fleet.aModel();
    const since = await cursorOfNow(endpoint);

    const response = await subscribe(endpoint, { variables: { since } }, { 'Last-Event-ID': old });

    expect((await read(response, 1)).map(({ data }) => data.crashEvents.type)).toEqual(['READY']);
  });

  it('are shared by clients that began at different cursors', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const followers: ChangeFollower[] = [];
    for (let n = 0; n < 3; n++) {
      const since = await cursorOfNow(endpoint);
      await endpoint.fleet.aModel();
      const follower = await followChanges(endpoint, { since });
      await follower.until('READY');
      followers.push(follower);
    }

    const statements = await endpoint.statementsOf(async () => {
      await aCrash(endpoint, device);
      endpoint.changes.wake();
      for (const { next } of followers) await next();
    });

    const readsOfDumps = statements.filter((sql) => /FROM [^ ]*Coredump[`"] WHERE .* IN/.test(sql));
    const batches = statements.filter((sql) => /ORDER BY max/.test(sql));
    expect(batches.length).toBeGreaterThan(0);
    // The crash itself is read once, to be counted.
    expect(readsOfDumps.length).toBeLessThanOrEqual(1 + batches.length);
  });
});

/** Positions that no database of a test reaches. */
const FUTURE: Readonly<Record<string, string>> = {
  file: '900000000000',
  postgresql: '900000000000:900000000000:',
  postgres: '900000000000:900000000000:',
};

/** A cursor stands before every transaction of the cluster that still runs, also in the databases of other tests. */
async function allHaveEnded({ db, databaseUrl }: Pick<GraphQLEndpoint, 'db' | 'databaseUrl'>): Promise<void> {
  if (databaseUrl.startsWith('file:')) return;
  await eventually(async () => {
    const [row] = await db.$queryRaw<Array<{ ended: boolean }>>`
      SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > (SELECT max("tx") FROM "Change") AS "ended"`;
    return row?.ended === true;
  }, 'the end of earlier transactions');
}

async function cursorOfNow(endpoint: Pick<GraphQLEndpoint, 'url'>): Promise<string> {
  const { cursor, stop } = await followFromNow(endpoint);
  await stop();
  return cursor;
}

async function subscribe(
  { url }: Pick<GraphQLEndpoint, 'url'>,
  body: { query?: string; variables?: object },
  headers: Record<string, string> = {},
): Promise<Response> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  return fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream', ...headers },
    body: JSON.stringify({ query: CRASH_EVENTS, ...body }),
    signal: stop.signal,
  });
}

interface StreamEvent {
  id: string | undefined;
  data: { crashEvents: { type: string; id: string | null } };
}

/** The first events of a stream, as EventSource reads them. */
async function read(response: Response, count: number): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  let text = '';
  if (response.body === null) return events;
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const data = /^data: (.+)$/m.exec(part)?.[1];
      if (data !== undefined) events.push({ id: /^id: (.+)$/m.exec(part)?.[1], ...JSON.parse(data) });
    }
    if (events.length >= count) break;
  }
  return events;
}

async function answerOfStream(response: Response) {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
    return answerOf(response);
  }
  const text = await response.text();
  return answerOf(new Response(/^data: (.+)$/m.exec(text)?.[1] ?? '{}'));
}
