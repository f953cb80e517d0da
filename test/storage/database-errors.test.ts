import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { asDomainError, StaleRead } from '../../src/platform/database/errors.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { inTransaction } from '../../src/platform/database/transaction.js';
import { aMigratedDatabaseUrl } from '../support/database.js';
import { aFleet } from '../support/fleet.js';

async function aDatabase() {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-errors-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const { db, close } = await openDatabase(await aMigratedDatabaseUrl(dir));
  onTestFinished(close);
  return { db, fleet: aFleet(db) };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => asDomainError(error),
  );

describe('what the database refuses', () => {
  it('is a CONFLICT where something that a row refers to is gone', async () => {
    const { db, fleet } = await aDatabase();

    expect(await codeOf(fleet.aDump({ id: 999 }))).toMatchObject({ code: 'CONFLICT' });
    const inSql = db.$executeRaw`INSERT INTO "RemovedRaw" ("coredumpId", "removedAt") VALUES (999, ${new Date()})`;
    expect(await codeOf(inSql)).toMatchObject({ code: 'CONFLICT' });
  });

  it('is NOT_FOUND where the row itself is gone', async () => {
    const { db } = await aDatabase();

    const renamed = db.device.update({ where: { id: 999 }, data: { name: 'nobody' } });

    expect(await codeOf(renamed)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is tried again where what was looked at has gone meanwhile, and seen then', async () => {
    const { db, fleet } = await aDatabase();
    const device = await fleet.aDevice(await fleet.aModel());
    const answers: string[] = [];

    const answer = await inTransaction(db, async (tx) => {
      // The first time it looked before somebody deleted the device.
      const seen = answers.length === 0 ? { id: 999 } : await tx.device.findFirst({ select: { id: true } });
      answers.push(seen?.id === device.id ? 'is there' : 'was there');
      await tx.coredump.create({ data: { ...A_DUMP, deviceId: seen?.id ?? 0 } });
      return 'done';
    });

    expect([answer, answers]).toEqual(['done', ['was there', 'is there']]);
  });

  it('is BUSY, and not a database that is not available, where others always come first', async () => {
    const { db } = await aDatabase();
    let attempts = 0;

    const work = inTransaction(db, async () => {
      attempts += 1;
      throw new StaleRead('somebody was faster');
    });

    expect(await codeOf(work)).toMatchObject({ code: 'BUSY' });
    expect(attempts).toBe(5);
  });
});

const A_DUMP = {
  filename: 'coredump.dmp',
  chip: 'esp32c3',
  firmwareVersion: '1.0.0',
  size: 1,
  sha256: '',
  uploadedAt: new Date(0),
  parseStatus: 'PENDING',
};
