import { expect, inject, it } from 'vitest';
import { readMigrations } from '../../src/platform/database/migrations/read-migrations.js';
import { aCrash, aPendingDump } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';

it('days and times of change are there for what was counted before they were noted', async () => {
  const endpoint = await aGraphQLEndpoint();
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  const lastMs = Date.UTC(2026, 1, 12) - 1;
  const crash = (at: number) => aCrash(endpoint, device, { at: new Date(at) });
  for (const at of [Date.UTC(2026, 1, 11), lastMs, lastMs]) await crash(at);
  await aPendingDump(endpoint, device, { at: new Date(lastMs + 1) });
  const days = await endpoint.db.crashDay.findMany();
  await endpoint.db.crashDay.deleteMany();

  await backfill(endpoint, '20261128110000_merged_groups', 'UPDATE "CrashGroup"');
  await backfill(endpoint, '20261128111000_crash_days', 'INSERT INTO "CrashDay"');

  expect(days).toHaveLength(1);
  expect(await endpoint.db.crashDay.findMany()).toEqual(days);
  expect(await endpoint.db.crashGroup.findMany()).toMatchObject([
    { updatedAt: new Date(lastMs), lastSeenAt: new Date(lastMs) },
  ]);
  expect(await recount(endpoint.databaseUrl)).toEqual([]);
});

it('activity is there for what people did before, as the audit has it', async () => {
  const endpoint = await aGraphQLEndpoint();
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  for (const place of ['one', 'two']) await aCrash(endpoint, device, { place });
  const { crashGroups } = endpoint;
  await crashGroups.resolve(1, '1.3.0');
  await crashGroups.resolve(1, null);
  await crashGroups.assign(2, 'ada');
  await crashGroups.update([1], {
    state: 'RESOLVED',
    resolvedInVersion: '1.4.0',
    assignee: null,
    note: 'seen',
  });
  await crashGroups.update([1], { state: 'IGNORED' });
  await crashGroups.merge(1, [2]);
  await crashGroups.note(1, null);
  const regressedAt = new Date(Date.now() + 60_000);
  await endpoint.db.crashGroup.updateMany({ data: { regressedAt, regressedInVersion: '1.4.1' } });
  await endpoint.db.groupActivity.deleteMany();

  await backfill(endpoint, '20261129191105_on_call', 'INSERT INTO "GroupActivity"');

  const rows = await endpoint.db.groupActivity.findMany({ orderBy: { id: 'asc' } });
  expect(rows.map(({ groupId, fromGroupId, kind, text }) => [groupId, fromGroupId, kind, text])).toEqual([
    [1, null, 'RESOLVED', '1.3.0'],
    [1, null, 'RESOLVED', null],
    [1, 2, 'ASSIGNED', 'ada'],
    [1, null, 'RESOLVED', '1.4.0'],
    [1, null, 'UNASSIGNED', null],
    [1, null, 'NOTED', 'seen'],
    [1, null, 'IGNORED', null],
    [1, null, 'MERGED', 'groups 2'],
    [1, null, 'NOTED', null],
    [1, null, 'REGRESSED', '1.4.1'],
  ]);
  expect(rows.map(({ actor }) => actor)).toEqual([...Array.from({ length: 9 }, () => 'coredock'), null]);
});

/** Runs the statement of a migration again, which begins with these words. */
async function backfill({ db }: GraphQLEndpoint, migration: string, words: string): Promise<void> {
  const kind = inject('postgresql') === undefined ? 'sqlite' : 'postgresql';
  const { sql } = readMigrations(kind).find(({ name }) => name === migration) ?? { sql: '' };
  const statement = sql.slice(sql.indexOf(words)).split(';')[0] ?? '';
  expect(statement).toContain(words);
  await db.$executeRawUnsafe(statement);
}
