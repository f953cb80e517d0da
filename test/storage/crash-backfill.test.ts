import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readMigrations } from '../../src/platform/database/migrations/read-migrations.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import type { Database } from '../../src/platform/database/types.js';
import { aMigratedDatabaseUrl } from '../support/database.js';
import { aFleet } from '../support/fleet.js';

const PARSED = new Date('2026-02-11T15:00:00.000Z');
const LATER = new Date('2026-02-12T15:00:00.000Z');

describe('dumps that were parsed before crashes were in their rows', () => {
  it('get what their reports say', async () => {
    const database = await aDatabase();
    const { db } = database;
    const fleet = aFleet(db);
    const device = await fleet.aDevice(await fleet.aModel());
    const of = async (report: object | undefined, columns: object = {}) =>
      (
        await fleet.aDump(device, {
          parseStatus: 'PARSED',
          output: 'text',
          ...(report && { report }),
          ...columns,
        })
      ).id;
    const plain = await of({ kind: 'ABORT', reason: 'abort() "here"', crashedTask: 'wifi' });
    const odd = await of({ kind: 'ASSERT', reason: 'a\0b \ud800 c\\u0000', crashedTask: null });
    const long = await of({ kind: 'ABORT', reason: 'é'.repeat(600), crashedTask: 't'.repeat(100) });
    const old = await of({ reason: 'LoadProhibited at 0x10' });
    const grouped = await of({ reason: 'LoadProhibited at 0x10' });
    const without = await of(undefined, { parseStatus: 'ERROR' });
    const again = await of(
      { kind: 'ABORT', reason: 'abort()', crashedTask: 'main' },
      { parseStatus: 'PENDING' },
    );
    await db.earlierReading.create({ data: { coredumpId: again, fingerprint: 'v1:a', parsedAt: PARSED } });
    await countInGroup(database, grouped, 'INVALID_READ');

    await backfill(database);

    const rows = await db.coredump.findMany({ orderBy: { id: 'asc' } });
    const crashes = rows.map(({ id, crashKind, crashedTask, reason }) => [
      id,
      crashKind,
      crashedTask,
      reason,
    ]);
    expect(crashes).toEqual([
      [plain, 'ABORT', 'wifi', 'abort() "here"'],
      [odd, 'ASSERT', null, expect.stringMatching(/^a\uFFFDb \uFFFD+ c\\u(0000|fffd)$/)],
      [long, 'ABORT', 't'.repeat(64), 'é'.repeat(500)],
      [old, 'OTHER', null, 'LoadProhibited at 0x10'],
      [grouped, 'INVALID_READ', null, 'LoadProhibited at 0x10'],
      [without, null, null, null],
      [again, null, null, null],
    ]);
    expect(await db.earlierReading.findMany()).toMatchObject([
      { coredumpId: again, crashKind: 'ABORT', crashedTask: 'main', reason: 'abort()' },
    ]);
  });

  it('say when they last changed', async () => {
    const database = await aDatabase();
    const { db } = database;
    const fleet = aFleet(db);
    const device = await fleet.aDevice(await fleet.aModel());
    const ids: number[] = [];
    for (const parsedAt of [null, PARSED, PARSED, PARSED]) {
      const { id } = await fleet.aDump(device);
      await db.coredump.update({ where: { id }, data: { parsedAt } });
      ids.push(id);
    }
    await db.removedRaw.create({ data: { coredumpId: ids[2] ?? 0, removedAt: LATER } });
    await db.lostRaw.create({ data: { coredumpId: ids[3] ?? 0, noticedAt: LATER } });

    await backfill(database);

    const rows = await db.coredump.findMany({ orderBy: { id: 'asc' } });
    expect(rows.map(({ updatedAt }) => updatedAt)).toEqual([null, PARSED, LATER, LATER]);
  });
});

async function aDatabase(): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), 'coredock-backfill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const database = await openDatabase(await aMigratedDatabaseUrl(folder));
  onTestFinished(database.close);
  return database;
}

/** The statements of the migration that write rows, on a database that has its columns already. */
async function backfill({ db, isShared }: Database): Promise<void> {
  const migration = readMigrations(isShared ? 'postgresql' : 'sqlite').find(({ name }) =>
    name.endsWith('crash_in_the_row'),
  );
  const statements = (migration?.sql ?? '')
    .replaceAll(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => /^(UPDATE|CREATE TEMPORARY TABLE)/.test(statement));
  expect(statements.length).toBeGreaterThan(2);
  await db.$transaction(async (tx) => {
    for (const statement of statements) await tx.$executeRawUnsafe(statement);
  });
}

async function countInGroup({ db }: Database, coredumpId: number, kind: string): Promise<void> {
  const crash = { title: 'crash', kind, reasonClass: 'crash', reason: 'crash' };
  const seen = { firstSeenAt: PARSED, lastSeenAt: PARSED };
  const group = await db.crashGroup.create({ data: { ...crash, ...seen, state: 'OPEN', heat: 0 } });
  const signature = await db.crashSignature.create({
    data: { ...crash, ...seen, fingerprint: 'v1:grouped', groupId: group.id },
  });
  await db.crashOccurrence.create({ data: { coredumpId, signatureId: signature.id, modelId: 1 } });
}
