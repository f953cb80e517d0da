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

/** Runs the statement of a migration again, which begins with these words. */
async function backfill({ db }: GraphQLEndpoint, migration: string, words: string): Promise<void> {
  const kind = inject('postgresql') === undefined ? 'sqlite' : 'postgresql';
  const { sql } = readMigrations(kind).find(({ name }) => name === migration) ?? { sql: '' };
  const statement = sql.slice(sql.indexOf(words)).split(';')[0] ?? '';
  expect(statement).toContain(words);
  await db.$executeRawUnsafe(statement);
}
