import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from 'graphql-sse';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  aDevice,
  aServer,
  errorOf,
  eventually,
  type Stored,
  stored,
  type TestApp,
  upload,
} from '../support/app.js';
import { aDatabaseUrl } from '../support/database.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { aPostgresqlProxy } from '../support/postgresql-proxy.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

async function aServerBehindProxy() {
  const proxy = await aPostgresqlProxy(await aDatabaseUrl(''));
  const app = await aServer({ DATABASE_URL: proxy.url });
  await aDevice(app);
  return { proxy, app };
}

/** The folder of a device comes and goes with its dumps. */
const filesOf = (app: TestApp) => readdir(join(app.config.coredumpsDir, 'dev1')).catch(() => []);

async function rowsOf(app: TestApp): Promise<string[]> {
  const { coredumps } = await app.graphql<{ coredumps: { nodes: { filename: string }[] } }>(
    '{ coredumps(first: 200) { nodes { filename } } }',
  );
  return coredumps.nodes.map(({ filename }) => filename);
}

const bytesOf = async (app: TestApp, { coredumpId }: Stored) =>
  (await fetch(`${app.url}/api/coredumps/${encodeURIComponent(coredumpId)}/download`)).text();

describe('a commit whose connection breaks', () => {
  it.each(['answer lost', 'late', 'never sent'] as const)(
    'stores the dump all the same (%s)',
    async (fate) => {
      const { proxy, app } = await aServerBehindProxy();
      proxy.decide(fate);

      const dump = await stored(app, 'the bytes');

      expect(await bytesOf(app, dump)).toBe('the bytes');
      expect(await rowsOf(app)).toEqual([dump.filename]);
    },
  );

  it('leaves neither row nor file when PostgreSQL never got it, nor at a second try', async () => {
    const { proxy, app } = await aServerBehindProxy();
    // Between the two it is asked what became of the first.
    proxy.decide('never sent', null, 'never sent');

    const answer = await errorOf(await upload(app, 'the bytes'));

    expect(answer).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(await rowsOf(app)).toEqual([]);
    expect(await filesOf(app)).toEqual([]);
  });

  it.each(['answer lost', 'late', 'never sent'] as const)(
    'loses no acknowledged upload of a group that was committed together (%s)',
    async (fate) => {
      const { proxy, app } = await aServerBehindProxy();
      // The first goes alone; those that come meanwhile are the group whose commit is lost.
      proxy.decide(null, fate);

      const dumps = await Promise.all(Array.from({ length: 12 }, (_, index) => stored(app, `dump ${index}`)));

      expect((await rowsOf(app)).sort()).toEqual(dumps.map(({ filename }) => filename).sort());
      expect(new Set(dumps.map(({ coredumpId }) => coredumpId)).size).toBe(12);
      for (const [index, dump] of dumps.entries()) expect(await bytesOf(app, dump)).toBe(`dump ${index}`);
    },
  );

  it('leaves the files of a group where nobody can say whether there are rows', async () => {
    const { proxy, app } = await aServerBehindProxy();
    proxy.thenUnreachable();
    // The first goes alone, as above.
    proxy.decide(null, 'answer lost');
    const names = Array.from({ length: 12 }, (_, index) => `dump ${index}`);

    const answers = await Promise.all(names.map(async (bytes) => (await upload(app, bytes)).status));
    proxy.restore();
    const dumps = await Promise.all(names.map((bytes) => stored(app, bytes)));

    expect(answers).toContain(503);
    expect((await rowsOf(app)).sort()).toEqual(dumps.map(({ filename }) => filename).sort());
    for (const [index, dump] of dumps.entries()) expect(await bytesOf(app, dump)).toBe(`dump ${index}`);
  });

  it.each([
    ['answer lost', 1],
    ['never sent', 0],
  ] as const)('leaves the file where nobody can say whether there is a row (%s)', async (fate, rows) => {
    const { proxy, app } = await aServerBehindProxy();
    proxy.thenUnreachable();
    proxy.decide(fate);

    const answer = await errorOf(await upload(app, 'the bytes'));
    proxy.restore();

    expect(answer).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    const [filename = ''] = await filesOf(app);
    expect(await rowsOf(app)).toEqual(rows === 1 ? [filename] : []);
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    await utimes(join(app.config.coredumpsDir, 'dev1', filename), twoDaysAgo, twoDaysAgo);
    const again = await app.restart();
    expect(await filesOf(again)).toHaveLength(rows);
    const repeated = await stored(again, 'the bytes');
    expect(await bytesOf(again, repeated)).toBe('the bytes');
    expect(await rowsOf(again)).toEqual([repeated.filename]);
  });
});

describe('the commit of a firmware whose connection breaks', () => {
  const elf = aFirmwareElf({ version: '1.0.0' });
  const elfs = (app: TestApp) => readdir(join(app.config.assetsDir, 'thermostat')).catch(() => []);
  const builds = async (app: TestApp) =>
    (
      await app.graphql<{ deviceModel: { firmwares: { nodes: { elfSha256: string }[] } } }>(
        '{ deviceModel(code: "thermostat") { firmwares(first: 9) { nodes { elfSha256 } } } }',
      )
    ).deviceModel.firmwares.nodes.map(({ elfSha256 }) => `${elfSha256}.elf`);

  it.each(['answer lost', 'late'] as const)('takes the build in all the same (%s)', async (fate) => {
    const { proxy, app } = await aServerBehindProxy();
    proxy.decide(fate);

    await uploadFirmware(app, { elf });

    expect(await builds(app)).toHaveLength(1);
    expect(await elfs(app)).toEqual(await builds(app));
  });

  it('leaves neither row nor file when PostgreSQL never got it', async () => {
    const { proxy, app } = await aServerBehindProxy();
    proxy.decide('never sent');

    await expect(uploadFirmware(app, { elf })).rejects.toThrow();

    expect(await builds(app)).toEqual([]);
    expect(await elfs(app)).toEqual([]);
  });

  it('keeps the ELF where nobody can say whether there is a row', async () => {
    const { proxy, app } = await aServerBehindProxy();
    proxy.thenUnreachable();
    proxy.decide('answer lost');

    await expect(uploadFirmware(app, { elf })).rejects.toThrow();
    proxy.restore();

    expect(await builds(app)).toHaveLength(1);
    expect(await elfs(app)).toEqual(await builds(app));
  });
});

describe('a parse whose commit has no answer', () => {
  it.each(['answer lost', 'late', 'never sent'] as const)(
    'ends as what it is, and subscribers of its own server are told (%s)',
    async (fate) => {
      const proxy = await aPostgresqlProxy(await aDatabaseUrl(''));
      const fates = [fate];
      const sidecar = await aSidecar((_, response) => {
        // The next COMMIT is the one with the report.
        for (const next of fates.splice(0)) proxy.decide(next);
        answerJson(response, 200, { output: 'the report' });
      });
      const app = await aServer({ DATABASE_URL: proxy.url, ...sidecar.environment });
      await aDevice(app);
      await uploadFirmware(app, { elf: aFirmwareElf({ version: '1.0.0' }) });
      const client = createClient({ url: `${app.url}/graphql`, retryAttempts: 0 });
      onTestFinished(() => client.dispose());
      const events = client.iterate<{ parseStatus: { id: string; parseStatus: string } }>({
        query: 'subscription { parseStatus { id parseStatus parsedOutput } }',
      });
      const told = (async () => {
        for await (const { data } of events) {
          if (data?.parseStatus.parseStatus !== 'PENDING') return data?.parseStatus;
        }
        return undefined;
      })();
      await eventually(async () => {
        const metrics = await (await fetch(`${app.url}/metrics`)).text();
        return /^coredump_event_subscribers 1$/m.test(metrics);
      }, 'somebody listens');

      const { coredumpId: id } = await stored(app, 'the bytes');

      expect(await told).toEqual({ id, parseStatus: 'PARSED', parsedOutput: 'the report' });
      const query = 'query ($id: ID!) { coredump(id: $id) { parseStatus parsedOutput } }';
      expect(await app.graphql(query, { id })).toEqual({
        coredump: { parseStatus: 'PARSED', parsedOutput: 'the report' },
      });
      expect(fates).toEqual([]);
    },
  );
});
