import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { inTransaction } from '../../src/platform/database/transaction.js';
import type { Database } from '../../src/platform/database/types.js';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { aDevice, aServer, errorOf, stored, upload } from '../support/app.js';
import { aFleet } from '../support/fleet.js';

async function directly(url: string): Promise<Database> {
  const database = await openDatabase(url);
  onTestFinished(database.close);
  return database;
}

describe('several servers on one PostgreSQL database', () => {
  it('keep the limit of dumps and their order, whichever gets an upload', async () => {
    const one = await aServer({ MAX_COREDUMPS: '5' });
    const other = await one.another();
    await aDevice(one, { key: 'dev1' });
    await aDevice(one, { key: 'dev2' });

    const uploads = Array.from({ length: 60 }, (_, index) =>
      stored(index % 2 === 0 ? one : other, `dump ${index}`, { device: index % 3 === 0 ? 'dev1' : 'dev2' }),
    );
    await Promise.all(uploads);

    const { db } = await directly(one.config.databaseUrl);
    for (const key of ['dev1', 'dev2']) {
      expect(await db.coredump.count({ where: { device: { key } } })).toBe(5);
      expect(await readdir(join(one.config.coredumpsDir, key))).toHaveLength(5);
    }
  });

  it('know a dump again that the other one has stored', async () => {
    const one = await aServer();
    const other = await one.another();
    await aDevice(one);

    const first = await stored(one, 'the same bytes');
    const again = await stored(other, 'the same bytes');

    expect(again.coredumpId).toBe(first.coredumpId);
  });

  it('start without touching what the other one is doing', async () => {
    const one = await aServer();
    await aDevice(one);
    const { coredumpsDir, assetsDir, databaseUrl } = one.config;
    const inFlight = [
      join(coredumpsDir, '.incoming', 'half'),
      join(coredumpsDir, 'dev1', 'coredump_20260101T000000_000000Z.dmp'),
      join(assetsDir, '.incoming', 'half'),
      join(assetsDir, 'thermostat', `${'a'.repeat(64)}.elf`),
    ];
    for (const path of inFlight) {
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, 'no row yet');
    }
    const { coredumpId } = await stored(one, 'being parsed');
    const { db } = await directly(databaseUrl);
    const lease = { leaseOwner: 'one', leaseUntil: new Date(Date.now() + 60_000) };
    await db.coredump.updateMany({ data: lease });

    await one.another();

    expect(coredumpId).not.toBe('');
    expect(await db.coredump.findFirst()).toMatchObject(lease);
    for (const path of inFlight) expect(await readdir(join(path, '..'))).toContain(path.split('/').at(-1));
  });

  it('tidy up what has been lying about for more than a day', async () => {
    const one = await aServer();
    const path = join(one.config.coredumpsDir, '.incoming', 'half');
    await writeFile(path, 'of a server that died');
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    await utimes(path, twoDaysAgo, twoDaysAgo);

    await one.another();

    expect(await readdir(join(path, '..'))).toEqual([]);
  });

  it('take turns by name', async () => {
    const { databaseUrl } = (await aServer()).config;
    const [one, other] = [await directly(databaseUrl), await directly(databaseUrl)];
    const steps: string[] = [];
    const work = (name: string) => async () => {
      steps.push(`${name} begins`);
      await one.db.$queryRaw`SELECT 1 FROM pg_sleep(0.05)`;
      steps.push(`${name} ends`);
    };

    await Promise.all([
      one.runExclusive('firmware', work('a')),
      other.runExclusive('firmware', work('b')),
      one.runExclusive('firmware', work('c')),
    ]);

    const names = steps.map((step) => step.slice(0, 1));
    expect(steps).toHaveLength(6);
    for (const at of [0, 2, 4]) expect(names[at]).toBe(names[at + 1]);
  });
});

describe('transactions on PostgreSQL', () => {
  it('that wait for each other are both done in the end', async () => {
    const { databaseUrl } = (await aServer()).config;
    const { db } = await directly(databaseUrl);
    const fleet = aFleet(db);
    const model = await fleet.aModel();
    const [a, b] = [await fleet.aDevice(model), await fleet.aDevice(model)];
    let isFirstTry = true;
    let arrived = 0;
    let bothHoldOne = () => {};
    const whenBothHoldOne = new Promise<void>((resolve) => {
      bothHoldOne = resolve;
    });
    const renameInOrder = (ids: number[], name: string) =>
      inTransaction(db, async (tx) => {
        const [first, second] = ids;
        await tx.device.updateMany({ where: { id: first ?? 0 }, data: { name } });
        if (++arrived === 2) bothHoldOne();
        if (isFirstTry) await whenBothHoldOne;
        isFirstTry = false;
        await tx.device.updateMany({ where: { id: second ?? 0 }, data: { name } });
      });

    await Promise.all([renameInOrder([a.id, b.id], 'x'), renameInOrder([b.id, a.id], 'y')]);

    expect(arrived).toBe(3);
    const names = await db.device.findMany({ select: { name: true } });
    expect(names[0]).toEqual(names[1]);
  });
});

describe('a PostgreSQL that is gone', () => {
  it('makes uploads fail as unavailable, leaving no file, and readiness too', async () => {
    const cluster = await startPostgresql();
    if (cluster === null) throw new Error('this run has a PostgreSQL, and now there is none');
    const app = await aServer({ DATABASE_URL: await createDatabase(cluster.url) });
    await aDevice(app);
    await cluster.close();

    const answer = await errorOf(await upload(app, 'a dump'));

    expect(answer).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect((await fetch(`${app.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
    expect(await readdir(join(app.config.coredumpsDir, '.incoming'))).toEqual([]);
  });
});

describe('text that PostgreSQL cannot hold', () => {
  it('is refused as the mistake of whoever sent it', async () => {
    const app = await aServer();

    const asking = app.graphql('{ devices(filter: { search: "a\\u0000b" }) { totalCount } }');

    await expect(asking).rejects.toThrow('BAD_USER_INPUT');
  });
});
