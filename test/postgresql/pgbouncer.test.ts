import pg from 'pg';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { aDevice, aServer, eventually, stored } from '../support/app.js';
import { aDatabaseUrl } from '../support/database.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { aPgBouncer, NO_PGBOUNCER } from '../support/pgbouncer.js';
import { aFolder, aProgram, run } from '../support/program.js';
import { answerJson, aSidecar } from '../support/sidecar.js';
import { aSubscriber } from '../support/subscriber.js';

beforeEach((context) => {
  if (NO_PGBOUNCER !== null) context.skip(NO_PGBOUNCER);
});

const RESTARTS = 10;

describe('behind PgBouncer in session pooling', () => {
  it(`two servers start ${RESTARTS} times, and each hears what the other does`, async () => {
    const { url } = await aPgBouncer(await aDatabaseUrl(''), 'session');
    const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'read' }));
    let one = await aServer({ DATABASE_URL: url });
    let other = await one.another(sidecar.environment);
    await aDevice(one);
    await uploadFirmware(one, { elf: aFirmwareElf({ version: '1.0.0' }) });

    for (let round = 0; round < RESTARTS; round++) {
      const { states } = await aSubscriber(one);
      const { coredumpId } = await stored(other, `dump ${round}`);
      await eventually(async () => states.get(coredumpId) === 'PARSED', `the end of round ${round} is told`);
      expect(await (await fetch(`${one.url}/readyz`)).json()).toMatchObject({ database: 'ok', events: 'ok' });
      // Both at once: whoever comes second waits for nobody who is gone.
      [one, other] = await Promise.all([one.restart(), other.restart()]);
    }
  });
});

describe('behind PgBouncer in transaction pooling', () => {
  it(`the program migrates, ${RESTARTS} times, and refuses to serve with one line that says what to do`, async () => {
    const { url } = await aPgBouncer(await aDatabaseUrl(''), 'transaction');

    for (let round = 0; round < RESTARTS; round++) {
      const [one, other] = await Promise.all([openDatabase(url), openDatabase(url)]);
      await Promise.all([one.close(), other.close()]);
    }
    const { code, stderr } = await run(['serve'], {
      cwd: await aFolder(),
      environment: { DATABASE_URL: url, PORT: '0' },
    });

    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^coredock: .*DATABASE_URL.*session pooling/),
    ]);
  });

  it('a lock that an older version left in the pool keeps nobody from starting', async () => {
    const databaseUrl = await aDatabaseUrl('');
    await aServer({ DATABASE_URL: databaseUrl });
    const somebody = new pg.Client(databaseUrl);
    await somebody.connect();
    onTestFinished(() => somebody.end());
    await somebody.query('SELECT pg_advisory_lock(72707369)');

    const program = await aProgram('serve', { environment: { DATABASE_URL: databaseUrl } });

    expect((await fetch(`${program.url}/readyz`)).status).toBe(200);
  });
});

describe('behind PgBouncer in statement pooling', () => {
  it('the program refuses to start with one line', async () => {
    const { url } = await aPgBouncer(await aDatabaseUrl(''), 'statement');

    const { code, stderr } = await run(['serve'], {
      cwd: await aFolder(),
      environment: { DATABASE_URL: url, PORT: '0' },
    });

    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^coredock: DATABASE_URL: the database .*pooling/),
    ]);
  });
});

describe('a pooler whose settings are changed under a server', () => {
  it('makes it say that it hears nothing, and it hears again when they are changed back', async () => {
    const pooler = await aPgBouncer(await aDatabaseUrl(''), 'session');
    const app = await aServer({ DATABASE_URL: pooler.url });
    const eventsOf = async () => (await (await fetch(`${app.url}/readyz`)).json()) as { events: string };

    await pooler.change('transaction');
    await eventually(async () => (await eventsOf()).events === 'down', 'it says so');
    await pooler.change('session');
    await eventually(async () => (await eventsOf()).events === 'ok', 'it hears again');

    await aDevice(app);
    expect((await stored(app, 'a dump')).status).toBe('ok');
  });
});
