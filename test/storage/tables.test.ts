import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exportedTables, readTable, writeTable } from '../../src/backup/archive.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import {
  allTables,
  continueKeysAfter,
  insertRows,
  lastCounted,
  readRows,
  type Table,
} from '../../src/platform/database/tables.js';
import type { Database } from '../../src/platform/database/types.js';
import { aMigratedDatabaseUrl } from '../support/database.js';
import { everyRow, fillEveryTable } from '../support/every-table.js';

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coredock-tables-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function aDatabase(): Promise<Database> {
  const database = await openDatabase(await aMigratedDatabaseUrl(aFolder()));
  onTestFinished(database.close);
  return database;
}

/** What the database itself says that there is. */
async function tablesOf({ db, isShared }: Database): Promise<string[]> {
  const rows = isShared
    ? await db.$queryRaw<Array<{ name: string }>>`
        SELECT tablename AS "name" FROM pg_tables WHERE schemaname = 'public'`
    : await db.$queryRaw<Array<{ name: string }>>`
        SELECT "name" FROM "sqlite_master" WHERE "type" = 'table' AND "name" NOT LIKE 'sqlite_%'`;
  return rows.map(({ name }) => name).filter((name) => name !== '_prisma_migrations' && !isDerived(name));
}

/** SQLite keeps the index of words in tables; triggers fill it, and the account of stored bytes, from what is moved. */
function isDerived(table: string): boolean {
  return table.startsWith('CoredumpSearch') || ['StoredBytes', 'Change', 'ChangeFeed'].includes(table);
}

describe('the tables that are moved', () => {
  it('are all that the database has', async () => {
    const names = allTables().map(({ name }) => name);

    expect(names.sort()).toEqual((await tablesOf(await aDatabase())).sort());
  });

  it('do not have who is signed in', () => {
    expect(exportedTables().map(({ name }) => name)).not.toContain('Session');
  });

  it('come after those that they refer to', () => {
    const names = allTables().map(({ name }) => name);

    for (const { name, parents } of allTables()) {
      for (const parent of parents) expect(names.indexOf(parent), name).toBeLessThan(names.indexOf(name));
    }
  });

  it('come out of an export as they went in, every column of every one', async () => {
    const [one, other] = [await aDatabase(), await aDatabase()];
    await fillEveryTable(one.db);
    const folder = aFolder();

    for (const table of allTables()) await writeTable(folder, table, readRows(one.db, table));
    await other.db.$transaction(async (tx) => {
      for (const table of allTables()) await insertRows(tx, table, readTable(folder, table));
    });

    expect(await everyRow(other.db)).toEqual(await everyRow(one.db));
  });

  it('are read to their end, however many rows they have', async () => {
    const { db } = await aDatabase();
    const at = new Date(0);
    const data = Array.from({ length: 250 }, (_, index) => ({ code: `m${index}`, name: 'x', createdAt: at }));
    await db.deviceModel.createMany({ data });

    const rows = (await everyRow(db)).DeviceModel ?? [];

    expect(new Set(rows.map(({ id }) => id)).size).toBe(250);
  });

  it('go on counting where the others had stopped, deleted rows included', async () => {
    const [one, other] = [await aDatabase(), await aDatabase()];
    const table = allTables().find(({ name }) => name === 'DeviceModel') as Table;
    const data = { name: 'x', createdAt: new Date(0) };
    await one.db.deviceModel.create({ data: { ...data, code: 'a' } });
    const { id } = await one.db.deviceModel.create({ data: { ...data, code: 'b' } });
    await one.db.deviceModel.delete({ where: { id } });

    const last = await lastCounted(one, table);
    await other.db.$transaction((tx) => continueKeysAfter(tx, table, { last, isShared: other.isShared }));

    expect(last).toBe(id);
    expect((await other.db.deviceModel.create({ data: { ...data, code: 'c' } })).id).toBe(id + 1);
    expect(await lastCounted(await aDatabase(), table)).toBe(0);
  });
});
