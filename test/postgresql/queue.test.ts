import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { aDevice, aServer, errorOf, eventually, stored, type TestApp, upload } from '../support/app.js';
import { aDatabaseUrl } from '../support/database.js';
import { uploadFirmware } from '../support/firmware.js';
import { aPostgresqlProxy } from '../support/postgresql-proxy.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

async function query<Row extends object>(app: TestApp, sql: string): Promise<Row[]> {
  const client = new pg.Client(app.config.databaseUrl);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

const jobsOf = (app: TestApp) =>
  query<{ key: string; state: string }>(app, 'SELECT singleton_key AS key, state FROM pgboss.job ORDER BY 1');

/** A sidecar that takes its time and remembers which dumps it had at the same time, and how often each. */
async function aWatchfulSidecar() {
  const inHand = new Map<string, number>();
  const seen: string[] = [];
  const overlaps: string[] = [];
  const sidecar = await aSidecar(async ({ core }, response) => {
    const dump = /^coredock-(\d+)-/.exec(core)?.[1] ?? core;
    if (inHand.has(dump)) overlaps.push(dump);
    inHand.set(dump, (inHand.get(dump) ?? 0) + 1);
    seen.push(dump);
    await pause(5 + Math.random() * 20);
    inHand.delete(dump);
    answerJson(response, 200, { output: 'read' });
  });
  return { ...sidecar, seen, overlaps };
}

async function pendingOf(app: TestApp): Promise<number> {
  const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
    '{ coredumps(filter: { parseStatus: [PENDING] }) { totalCount } }',
  );
  return coredumps.totalCount;
}

const allParsed = (app: TestApp) =>
  eventually(async () => (await pendingOf(app)) === 0, 'every parse has ended');

describe('the queue that servers share', () => {
  it('never has a dump parsed twice at once, and each once only, by three servers', async () => {
    const sidecar = await aWatchfulSidecar();
    const environment = { ...sidecar.environment, MAX_COREDUMPS: '1000', PARSE_CONCURRENCY: '4' };
    const one = await aServer(environment);
    const servers = [one, await one.another(), await one.another()];
    await aDevice(one);
    await uploadFirmware(one, {});

    const uploads = Array.from({ length: 150 }, async (_, index) => {
      const server = servers[index % servers.length] ?? one;
      return stored(server, `dump ${index}`);
    });
    await Promise.all(uploads);
    await allParsed(one);

    expect(sidecar.overlaps).toEqual([]);
    expect(sidecar.seen).toHaveLength(150);
    expect(new Set(sidecar.seen).size).toBe(150);
    await eventually(async () => (await jobsOf(one)).length === 0, 'no job is left');
  });

  it('has re-parses done while others are under way, and none of them twice at once', async () => {
    const sidecar = await aWatchfulSidecar();
    const one = await aServer({ ...sidecar.environment, MAX_COREDUMPS: '1000', PARSE_CONCURRENCY: '4' });
    const other = await one.another();
    await aDevice(one);
    await uploadFirmware(one, {});
    await Promise.all(Array.from({ length: 40 }, (_, index) => stored(one, `dump ${index}`)));
    await allParsed(one);

    await one.graphql('mutation { reparseCoredumps(input: { filter: {} }) { count } }');
    await allParsed(other);

    expect(sidecar.overlaps).toEqual([]);
    expect(sidecar.seen).toHaveLength(80);
  });

  it('gets its job in the transaction of the row: both or neither', async () => {
    const proxy = await aPostgresqlProxy(await aDatabaseUrl(''));
    const app = await aServer({ DATABASE_URL: proxy.url });
    await aDevice(app);

    // It is tried twice, and asked in between what became of the first.
    proxy.decide('never sent', null, 'never sent');
    await errorOf(await upload(app, 'never stored'));
    const without = await jobsOf(app);
    proxy.decide('answer lost');
    const { coredumpId } = await stored(app, 'stored');

    const row = Buffer.from(coredumpId, 'base64').toString().replace('Coredump:', '');
    expect(without).toEqual([]);
    expect(await jobsOf(app)).toEqual([{ key: `${row}:0`, state: 'created' }]);
  });

  it('forgets the job of a dump that was deleted', async () => {
    const sidecar = await aWatchfulSidecar();
    const app = await aServer();
    await aDevice(app);
    await uploadFirmware(app, {});
    const gone = await stored(app, 'deleted before anybody could read it');
    await app.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
      id: gone.coredumpId,
    });
    await stored(app, 'still there');
    expect(await jobsOf(app)).toHaveLength(2);

    const reading = await app.another(sidecar.environment);
    await allParsed(reading);

    await eventually(async () => (await jobsOf(app)).length === 0, 'no job is left');
    expect(sidecar.seen).toHaveLength(1);
  });

  it('gives the parses of a server that died to others, after its lease and not before', async () => {
    const sidecar = await aWatchfulSidecar();
    const app = await aServer();
    await aDevice(app);
    await uploadFirmware(app, {});
    await stored(app, 'in the hands of one that dies');
    // It took the job up, and leased the row; then nothing was heard of it.
    const dead = await openDatabase(app.config.databaseUrl);
    onTestFinished(dead.close);
    await dead.jobs?.start();
    expect(await dead.jobs?.take(10)).toHaveLength(1);
    const leaseUntil = new Date(Date.now() + 5_000);
    await dead.db.coredump.updateMany({ data: { leaseOwner: 'dead', leaseUntil, parseAttempts: 1 } });

    const alive = await app.another(sidecar.environment);
    await allParsed(alive);

    expect(Date.now()).toBeGreaterThan(leaseUntil.getTime());
    const [row] = await query<{ parseAttempts: number }>(app, 'SELECT "parseAttempts" FROM "Coredump"');
    expect(row).toEqual({ parseAttempts: 2 });
  });

  it('takes up dumps that have no job at all, as those of a database from before', async () => {
    const sidecar = await aWatchfulSidecar();
    const app = await aServer();
    await aDevice(app);
    await uploadFirmware(app, {});
    await stored(app, 'a dump');
    await query(app, 'DELETE FROM pgboss.job');

    const reading = await app.another(sidecar.environment);

    await allParsed(reading);
    expect(sidecar.seen).toHaveLength(1);
  });

  it('is as deep as dumps are PENDING, whichever server is asked', async () => {
    const sidecar = await aSidecar(() => {
      // Never answers.
    });
    const one = await aServer({ ...sidecar.environment, PARSE_CONCURRENCY: '1' });
    const other = await one.another();
    await aDevice(one);
    await uploadFirmware(one, {});

    for (let index = 0; index < 6; index++) await stored(one, `dump ${index}`);

    for (const { url } of [one, other]) {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(/^coredump_parse_queue_depth (\d+)/m.exec(metrics)?.[1]).toBe('6');
    }
  });
});
