import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SUBJECTS } from '../../src/platform/database/change-types.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { tableNamed } from '../../src/platform/database/tables.js';
import { aMigratedDatabaseUrl } from '../support/database.js';

/** Columns whose changes clients do not see, or always see together with another one. */
const NOT_TOLD: Readonly<Record<(typeof SUBJECTS)[number], readonly string[]>> = {
  Coredump: ['id', 'idempotencyKey', 'parseAttempts', 'leaseOwner', 'leaseUntil', 'dumpChip', 'updatedAt'],
  CrashGroup: ['id', 'ignoredAt', 'updatedAt'],
  // The arrival of a dump is told, and raises the count of its device. A restart alone is not: only a new build is.
  Device: [
    ...['id', 'tokenUsedAt', 'lastUploadAt', 'crashCount', 'lastCrashAt', 'createdAt', 'updatedAt'],
    ...['lastSeenAt', 'lastBootAt', 'lastResetReason', 'lastBootUptimeSeconds', 'lastBootCrashPending'],
  ],
  Firmware: ['id', 'updatedAt'],
  DeviceModel: ['id', 'updatedAt'],
};

describe('the triggers of the change feed', () => {
  it.each(SUBJECTS)('know every column of %s: told, or listed here as not told', async (subject) => {
    const dir = await mkdtemp(join(tmpdir(), 'coredock-columns-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const database = await openDatabase(await aMigratedDatabaseUrl(dir));
    onTestFinished(database.close);

    const name = `${subject}_change_changed`;
    const [trigger] = database.isShared
      ? await database.db.$queryRaw<Array<{ sql: string }>>`
          SELECT pg_get_triggerdef(oid) AS "sql" FROM pg_trigger WHERE tgname = ${name}`
      : await database.db.$queryRaw<Array<{ sql: string }>>`
          SELECT "sql" FROM sqlite_master WHERE "type" = 'trigger' AND "name" = ${name}`;
    const [list = '', condition = ''] = (trigger?.sql.split('UPDATE OF')[1] ?? '').split(/\bWHEN\b/);
    const columns = tableNamed(subject).columns.map((column) => column.name);
    const told = columns.filter((column) => !NOT_TOLD[subject].includes(column));

    expect(told.filter((column) => !names(list, column))).toEqual([]);
    expect(told.filter((column) => !names(condition, column))).toEqual([]);
    expect(NOT_TOLD[subject].filter((column) => !columns.includes(column))).toEqual([]);
    expect(NOT_TOLD[subject].filter((column) => names(list, column) && column !== 'id')).toEqual([]);
  });
});

/** PostgreSQL writes names without capitals without quotes. */
function names(sql: string, column: string): boolean {
  return new RegExp(`(^|[^A-Za-z])${column}([^A-Za-z]|$)`).test(sql);
}
