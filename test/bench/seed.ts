import pg from 'pg';
import { FINGERPRINT_VERSION } from '../../src/crashdump/index.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { openConnection } from '../../src/platform/database/sqlite/connection.js';
import { bulkLoad } from './bulk-load.js';

/**
 * What a fleet leaves behind, made by the database itself: dumps newest last, spread over all devices in turns, most of
 * them PARSED, with a short report text. Everything derives from the dump's number, so that two databases are alike.
 */
export interface Fleet {
  devices: number;
  /** More of them, without dumps: `spare0`, `spare1`… */
  spareDevices?: number;
  dumps: number;
}

/** A week ago, so that no seeded dump looks like a retry of an upload. Milliseconds since 1970. */
const FIRST_UPLOAD = Date.now() - 7 * 24 * 60 * 60 * 1000;

/** Makes the tables of a new, empty database and fills them. */
export async function seed(url: string, fleet: Fleet): Promise<void> {
  const database = await openDatabase(url);
  await database.close();
  if (url.startsWith('file:')) seedSqlite(url.slice('file:'.length), fleet);
  else await seedPostgresql(url, fleet);
}

function seedSqlite(file: string, { devices, spareDevices = 0, dumps }: Fleet): void {
  const connection = openConnection(file);
  // Nobody else looks at it yet, and a seed that broke is made again.
  connection.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;');
  const numbers = (count: number) =>
    `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`;
  const sha = `printf('%016x%016x%016x%016x', n * 2654435761, n * 40503, n * 2246822519, n)`;
  const at = (n: string) => `${FIRST_UPLOAD} + ${n}`;
  connection.exec(`BEGIN;
    INSERT INTO "DeviceModel" ("id", "code", "name", "createdAt") VALUES (1, 'bench', 'Bench', ${FIRST_UPLOAD});
    ${numbers(devices + spareDevices)} INSERT INTO "Device" ("id", "key", "name", "modelId", "tokenSha256", "createdAt", "updatedAt")
      SELECT n, ${keyOf(devices)}, 'Device ' || n, 1, 'token' || n, ${at('n')}, ${at('n')} FROM numbers;
    ${numbers(dumps)} INSERT INTO "Coredump" (${COLUMNS})
      SELECT ${values({ n: 'n', devices, sha, at: at('n') })} FROM numbers;
    INSERT INTO "CoredumpText" ("coredumpId", "output") SELECT "id", ${text('"id"')} FROM "Coredump"
      WHERE "parseStatus" <> 'PENDING';
    INSERT INTO "RegroupRun" (${REGROUPED_COLUMNS}) VALUES ('${FINGERPRINT_VERSION}', ${at('0')}, ${at('0')}, 0);
    COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);`);
  connection.close();
}

async function seedPostgresql(url: string, { devices, spareDevices = 0, dumps }: Fleet): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const at = (n: string) => `to_timestamp((${FIRST_UPLOAD} + ${n}) / 1000.0) AT TIME ZONE 'UTC'`;
  const sha = `md5('a' || n) || md5('b' || n)`;
  try {
    await bulkLoad(client, async (run) => {
      await run(
        `INSERT INTO "DeviceModel" ("code", "name", "createdAt") VALUES ('bench', 'Bench', ${at('0')})`,
      );
      await run(`INSERT INTO "Device" ("key", "name", "modelId", "tokenSha256", "createdAt", "updatedAt")
        SELECT ${keyOf(devices)}, 'Device ' || n, (SELECT "id" FROM "DeviceModel"), 'token' || n, ${at('n')}, ${at('n')}
        FROM generate_series(1, ${devices + spareDevices}) n`);
      await run(`INSERT INTO "Coredump" (${COLUMNS})
        SELECT ${values({ n: 'n', devices, sha, at: at('n') })} FROM generate_series(1, ${dumps}) n`);
      await run(`INSERT INTO "CoredumpText" ("coredumpId", "output") SELECT "id", ${text('"id"')} FROM "Coredump"
        WHERE "parseStatus" <> 'PENDING'`);
      await run(
        `INSERT INTO "RegroupRun" (${REGROUPED_COLUMNS}) VALUES ('${FINGERPRINT_VERSION}', ${at('0')}, ${at('0')}, 0)`,
      );
    });
  } finally {
    await client.end();
  }
}

/** As if all had been grouped: a server would go through the dumps once more, beside what is measured. */
const REGROUPED_COLUMNS = '"fingerprintVersion", "startedAt", "finishedAt", "total"';

function keyOf(devices: number): string {
  return `CASE WHEN n <= ${devices} THEN 'bench' || (n - 1) ELSE 'spare' || (n - 1 - ${devices}) END`;
}

const COLUMNS = `"deviceId", "filename", "chip", "firmwareVersion", "size", "sha256", "uploadedAt", "parseStatus", "parsedAt"`;

function values({ n, devices, sha, at }: { n: string; devices: number; sha: string; at: string }): string {
  return `
    ${n} % ${devices} + 1,
    'coredump_seed_' || ${n} || '.dmp',
    CASE ${n} % 4 WHEN 0 THEN 'esp32' WHEN 1 THEN 'esp32c3' WHEN 2 THEN 'esp32s3' ELSE 'esp32c6' END,
    '1.' || (${n} / 1000 % 50) || '.0',
    ${n} % 60000 + 4000,
    ${sha},
    ${at},
    CASE WHEN ${n} % 100 = 0 THEN 'PENDING' WHEN ${n} % 10 = 1 THEN 'ERROR' ELSE 'PARSED' END,
    CASE WHEN ${n} % 100 = 0 THEN NULL ELSE ${at} END`;
}

function text(n: string): string {
  return `'abort() was called at PC 0x42009351 on core 0, dump number ' || ${n} || ', task main, Hello from the bench'`;
}
