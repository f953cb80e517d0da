import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aDevice, aServer, errorOf, eventually, stored, type TestApp, upload } from '../support/app.js';

/** docs/limits.md: an upload waits 10 s for the database. Beside that a busy machine needs its time to answer. */
const LIMIT_MS = 10_000;
const TOLERANCE_MS = 4_000;
const UPLOADS = 50;
const EVERY_MS = 100;

/** Locks what an upload writes, from another process's point of view. @returns takes the lock off */
async function lockedBySomebody(
  { config: { databaseUrl } }: TestApp,
  table: string,
): Promise<() => Promise<void>> {
  if (databaseUrl.startsWith('file:')) {
    const somebody = new DatabaseSync(databaseUrl.slice('file:'.length));
    onTestFinished(() => somebody.close());
    somebody.exec('BEGIN IMMEDIATE');
    return async () => somebody.exec('ROLLBACK');
  }
  const somebody = new pg.Client(databaseUrl);
  await somebody.connect();
  onTestFinished(() => somebody.end());
  await somebody.query('BEGIN');
  await somebody.query(`LOCK TABLE "${table}" IN ACCESS EXCLUSIVE MODE`);
  return async () => void (await somebody.query('ROLLBACK'));
}

describe('a database that somebody else has locked', () => {
  it.each(['Device', 'Coredump'])(
    'keeps no upload waiting longer than the limit, however many wait (%s)',
    async (table) => {
      const app = await aServer({ MAX_COREDUMPS: '1000' });
      await aDevice(app);
      const unlock = await lockedBySomebody(app, table);

      const answers = await Promise.all(
        Array.from({ length: UPLOADS }, async (_, index) => {
          await pause(index * EVERY_MS);
          const sentAt = performance.now();
          const response = await upload(app, `dump ${index}`);
          return {
            ...(await errorOf(response)),
            retryAfter: response.headers.get('Retry-After'),
            tookMs: performance.now() - sentAt,
          };
        }),
      );

      for (const { tookMs, ...answer } of answers) {
        expect(answer).toMatchObject({
          status: 503,
          code: 'UNAVAILABLE',
          retryAfter: expect.stringMatching(/^\d+$/),
        });
        expect(tookMs).toBeLessThan(LIMIT_MS + TOLERANCE_MS);
      }
      await unlock();
      const again = await Promise.all(
        Array.from({ length: UPLOADS }, (_, index) => stored(app, `dump ${index}`)),
      );
      const names = again.map(({ filename }) => filename).sort();
      expect(new Set(names).size).toBe(UPLOADS);
      expect(await rowsOf(app)).toEqual(names);
      expect((await readdir(join(app.config.coredumpsDir, 'dev1'))).sort()).toEqual(names);
    },
  );

  it('is answered by what was waiting, once it is unlocked', async () => {
    const app = await aServer();
    await aDevice(app);
    const unlock = await lockedBySomebody(app, 'Coredump');

    const waiting = Array.from({ length: 10 }, (_, index) => stored(app, `dump ${index}`));
    await eventually(async () => (await fetch(`${app.url}/healthz`)).ok, 'others are answered meanwhile');
    await unlock();

    const names = (await Promise.all(waiting)).map(({ filename }) => filename).sort();
    expect(await rowsOf(app)).toEqual(names);
  });
});

async function rowsOf(app: TestApp): Promise<string[]> {
  const { coredumps } = await app.graphql<{ coredumps: { nodes: { filename: string }[] } }>(
    '{ coredumps(first: 200) { nodes { filename } } }',
  );
  return coredumps.nodes.map(({ filename }) => filename).sort();
}
