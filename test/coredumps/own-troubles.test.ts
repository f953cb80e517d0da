import { rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { answerJson, aSidecar } from '../support/sidecar.js';
import { sql } from '../support/sql.js';

/** Longer than the parse queue waits before it looks into the database by itself. */
const TAKEN_UP_MS = 60_000;

describe('a parse whose own database fails', () => {
  it.each([
    ['while its firmware is looked for', 'Firmware'],
    ['while its report is stored', 'CoredumpText'],
  ])('%s waits, uncounted, and ends by itself when the database is well again', async (_, table) => {
    const { app, sidecar, postponed } = await aServerThatReads();
    await sql(app, `ALTER TABLE "${table}" RENAME TO "Away"`);

    const { coredumpId } = await stored(app, 'dump');
    await eventually(async () => (await leaseOf(app)) === 'postponed', 'the dump was put off');
    const waiting = await rowOf(app);
    await sql(app, `ALTER TABLE "Away" RENAME TO "${table}"`);

    expect(waiting).toEqual({ parseStatus: 'PENDING', parseAttempts: 0 });
    expect(await ended(app, coredumpId)).toEqual({
      parseStatus: 'PARSED',
      parseAttempts: 1,
      parsedOutput: 'read',
    });
    expect(sidecar.requests.length).toBeLessThan(6);
    expect(postponed()).toBeGreaterThan(0);
  });

  it('at every statement, while the sidecar is at work, is ended once it is well again', async () => {
    const { app, sidecar, postponed } = await aServerThatReads({
      during: () => sql(app, 'ALTER TABLE "Coredump" RENAME TO "Away"'),
    });

    const { coredumpId } = await stored(app, 'dump');
    await eventually(async () => postponed() > 0, 'the report could not be stored');
    await sql(app, 'ALTER TABLE "Away" RENAME TO "Coredump"');

    expect(await ended(app, coredumpId)).toMatchObject({ parseStatus: 'PARSED', parseAttempts: 1 });
    expect(sidecar.requests.length).toBeLessThan(6);
  });
});

describe('a parse whose storage fails', () => {
  it('waits, uncounted, and ends by itself when the storage is well again', async () => {
    const { app, sidecar, postponed } = await aServerThatReads();
    const withoutParser = await app.restart({ PARSE_SIDECAR_URL: '', PARSE_SIDECAR_XFER_DIR: '' });
    const { coredumpId, filename } = await stored(withoutParser, 'dump');
    const restore = await makeUnreadable(app, filename);

    const reading = await withoutParser.restart(sidecar.environment);
    await eventually(async () => postponed() > 0, 'the dump was put off');
    const waiting = await eventually(
      async () => ((await leaseOf(reading)) === 'postponed' ? rowOf(reading) : null),
      'the dump waits',
    );
    await restore();

    expect(waiting).toEqual({ parseStatus: 'PENDING', parseAttempts: 0 });
    expect(await ended(reading, coredumpId)).toMatchObject({ parseStatus: 'PARSED', parseAttempts: 1 });
  });

  it('does not keep other dumps from being read', async () => {
    const { app, sidecar } = await aServerThatReads();
    const withoutParser = await app.restart({ PARSE_SIDECAR_URL: '', PARSE_SIDECAR_XFER_DIR: '' });
    const bad = await stored(withoutParser, 'cannot be read');
    const good = await stored(withoutParser, 'can be read');
    await makeUnreadable(app, bad.filename);

    const reading = await withoutParser.restart({ ...sidecar.environment, PARSE_CONCURRENCY: '1' });

    expect(await ended(reading, good.coredumpId)).toMatchObject({ parseStatus: 'PARSED' });
    expect(await dump(reading, bad.coredumpId)).toMatchObject({ parseStatus: 'PENDING' });
  });
});

describe('attempts of the sidecar', () => {
  it('are three, also when the server is started again between them', async () => {
    const sidecar = await aSidecar((_, response) => answerJson(response, 500, { error: 'worker died' }));
    const app = await aServer();
    await aDevice(app);
    await uploadFirmware(app, {});
    const { coredumpId } = await stored(app, 'dump');
    // Two attempts of servers that died.
    await sql(app, `UPDATE "Coredump" SET "parseAttempts" = 2`);

    const reading = await app.restart(sidecar.environment);

    expect(await ended(reading, coredumpId)).toEqual({
      parseStatus: 'ERROR',
      parseAttempts: 3,
      parsedOutput: 'Unable to parse coredump: the sidecar answered 500: worker died',
    });
    expect(sidecar.requests).toHaveLength(1);
  });
});

/** @param during is awaited when the sidecar is asked for the first time, before it answers */
async function aServerThatReads({ during = async (): Promise<unknown> => null } = {}) {
  let postponements = 0;
  const log = pino(
    { level: 'warn' },
    {
      write(line: string) {
        if (line.includes('storage or database is not available for a parse')) postponements += 1;
      },
    },
  );
  const sidecar = await aSidecar(async (_, response) => {
    if (sidecar.requests.length === 1) await during();
    answerJson(response, 200, { output: 'read' });
  });
  const app = await aServer(sidecar.environment, { log });
  await aDevice(app);
  await uploadFirmware(app, {});
  return { app, sidecar, postponed: () => postponements };
}

/** @returns makes it readable again */
async function makeUnreadable(app: TestApp, filename: string): Promise<() => Promise<void>> {
  const path = join(app.config.coredumpsDir, 'dev1', filename);
  const aside = join(app.dir, 'aside');
  await rename(path, aside);
  // A link to itself cannot be opened (ELOOP): root reads every file, whatever its mode.
  await symlink(path, path);
  return async () => {
    await rm(path);
    await rename(aside, path);
  };
}

interface Dump {
  parseStatus: string;
  parseAttempts: number;
  parsedOutput: string | null;
}

async function dump(app: TestApp, id: string): Promise<Dump> {
  const { coredump } = await app.graphql<{ coredump: Dump }>(
    'query ($id: ID!) { coredump(id: $id) { parseStatus parseAttempts parsedOutput } }',
    { id },
  );
  return coredump;
}

async function ended(app: TestApp, id: string): Promise<Dump> {
  return eventually(
    async () => {
      const now = await dump(app, id);
      return now.parseStatus === 'PENDING' ? null : now;
    },
    'the parse ends',
    { limitMs: TAKEN_UP_MS },
  );
}

async function leaseOf(app: TestApp): Promise<string | null> {
  const [row] = await sql<{ leaseOwner: string | null }>(app, 'SELECT "leaseOwner" FROM "Coredump"');
  return row?.leaseOwner ?? null;
}

async function rowOf(app: TestApp): Promise<object | undefined> {
  const [row] = await sql<{ parseStatus: string; parseAttempts: number }>(
    app,
    'SELECT "parseStatus", "parseAttempts" FROM "Coredump"',
  );
  return row === undefined ? undefined : { ...row };
}
