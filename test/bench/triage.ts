import { once } from 'node:events';
import pg from 'pg';
import { pino } from 'pino';
import { startApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { openDatabase } from '../../src/platform/database/database.js';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import type { Result } from './result.js';

const GROUPS = 2_000;
const [FEW, MANY] = [10_000, 1_000_000];
const ROUNDS = 60;

const QUESTIONS: ReadonlyArray<readonly [what: string, query: string]> = [
  [
    'group list with sparklines',
    '{ crashGroups(first: 20, sort: VELOCITY, filter: { state: [OPEN] }) { nodes { id title count deviceCount lastSeenAt firmwareVersions crashes(by: DAY) { count } } } }',
  ],
  ['fleet time series, 30 days', '{ crashes(by: DAY) { start count } }'],
  [
    'fleet time series, 7 days by hour of a model',
    '{ crashes(by: HOUR, from: "FROM", filter: { modelCode: ["m1"] }) { start count } }',
  ],
  [
    'search, a rare word',
    '{ search(query: "rare4711") { coredumps { coredump { id } snippet { text isMatch } } } }',
  ],
  [
    'search, a function',
    '{ search(query: "function_77") { coredumps { coredump { id } snippet { text isMatch } } } }',
  ],
];

/** Lists, charts and search over 1,000,000 dumps against 10,000, both in 2,000 groups, side by side on one PostgreSQL. */
export async function triage(): Promise<Result[]> {
  const cluster = await startPostgresql();
  if (cluster === null) throw new Error('this benchmark needs PostgreSQL');
  const log = pino({ level: 'silent' });
  try {
    const apps = [];
    for (const dumps of [FEW, MANY]) {
      process.stderr.write(`  seeding ${dumps} dumps …\n`);
      const url = await createDatabase(cluster.url);
      await (await openDatabase(url)).close();
      await seed(url, dumps);
      const folder = `/tmp/coredock-bench-${process.pid}-${dumps}`;
      const environment = {
        PORT: '0',
        DATABASE_URL: url,
        COREDUMPS_DIR: `${folder}/dumps`,
        ASSETS_DIR: `${folder}/elfs`,
      };
      apps.push(await startApp(readConfig(environment), { log }));
    }
    const from = new Date(Date.now() - 7 * 86_400_000).toISOString();
    const results: Result[] = [];
    for (const [what, query] of QUESTIONS) {
      const body = JSON.stringify({ query: query.replace('FROM', from) });
      const times: number[][] = apps.map(() => []);
      // By turns, so that what else the machine does hits both alike; the first rounds warm up.
      for (let round = -10; round < ROUNDS; round++) {
        for (const [index, app] of apps.entries()) {
          const ms = await timed(app.url, body);
          if (round >= 0) times[index]?.push(ms);
        }
      }
      const [few = Number.NaN, many = Number.NaN] = times.map(median);
      results.push({
        what: `${what}: 1,000,000 dumps / 10,000`,
        value: many / few,
        unit: '×',
        hold: '≤ 1.2 ×',
        holds: (value) => value <= 1.2,
        detail: `median of ${ROUNDS}: ${many.toFixed(1)} ms / ${few.toFixed(1)} ms`,
      });
    }
    for (const app of apps) await app.close();
    return results;
  } finally {
    await cluster.close();
  }
}

async function timed(url: string, body: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body,
  });
  const text = await response.text();
  if (!response.ok || text.includes('"errors"')) throw new Error(text.slice(0, 500));
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Rows as counting would leave them, 30 days of them: dumps by turns of groups, devices, versions and models. */
async function seed(url: string, dumps: number): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const index = await client.query<{ indexdef: string }>(
    `SELECT indexdef FROM pg_indexes WHERE indexname = 'CoredumpText_output_words'`,
  );
  const run = (sql: string) => client.query(sql);
  await run('DROP INDEX "CoredumpText_output_words"');
  await run(
    `INSERT INTO "DeviceModel" (code, name, "createdAt") SELECT 'm' || i, 'm', now() FROM generate_series(1, 4) i`,
  );
  await run(`INSERT INTO "Device" (key, "modelId", "tokenSha256", "createdAt", "updatedAt")
    SELECT 'd' || i, 1 + i % 4, i, now(), now() FROM generate_series(1, 2000) i`);
  await run(`INSERT INTO "CrashGroup" (title, "reasonClass", reason, "culpritFunction", state, "firstSeenAt", "lastSeenAt", heat)
    SELECT 'abort in function_' || i, 'abort', 'abort()', 'function_' || i, 'OPEN', now(), now(), 0 FROM generate_series(1, ${GROUPS}) i`);
  await run(`INSERT INTO "CrashSignature" (fingerprint, "groupId", title, "reasonClass", reason, "firstSeenAt", "lastSeenAt")
    SELECT 'v1:' || i, i, 't', 'abort', 'abort()', now(), now() FROM generate_series(1, ${GROUPS}) i`);
  await run(`INSERT INTO "Coredump" ("deviceId", filename, chip, "firmwareVersion", size, sha256, "uploadedAt", "parseStatus", fingerprint)
    SELECT 1 + i % 2000, 'f' || i, 'esp32c3', '1.' || (i / 7) % 5, 65536, md5(i::text), now() - i * interval '30 days' / ${dumps}, 'PARSED',
      'v1' FROM generate_series(1, ${dumps}) i`);
  await run(`UPDATE "Coredump" SET fingerprint = 'v1:' || (1 + id % ${GROUPS})`);
  await run(`INSERT INTO "CoredumpText" ("coredumpId", output)
    SELECT id, 'abort() was called in function_' || (1 + id % ${GROUPS}) || ' of task' || id % 50 || ' rare' || id || E'\\n' || repeat('#1 0x42000000 in app_main () at main.c:12' || E'\\n', 5) FROM "Coredump"`);
  await run(`INSERT INTO "CrashOccurrence" ("coredumpId", "signatureId", "modelId", "firmwareVersion")
    SELECT c.id, 1 + c.id % ${GROUPS}, d."modelId", c."firmwareVersion" FROM "Coredump" c JOIN "Device" d ON d.id = c."deviceId"`);
  const crashes = `"CrashOccurrence" o JOIN "Coredump" c ON c.id = o."coredumpId"`;
  await run(`INSERT INTO "CrashVariant" SELECT o."signatureId", o."modelId", o."firmwareVersion", c.chip, count(*), min(c."uploadedAt"), max(c."uploadedAt")
    FROM ${crashes} GROUP BY 1, 2, 3, 4`);
  await run(
    `INSERT INTO "CrashDevice" SELECT o."signatureId", c."deviceId", count(*) FROM ${crashes} GROUP BY 1, 2`,
  );
  const keys = [
    ['0', `''`, '0'],
    ['0', `''`, 'o."modelId"'],
    ['0', 'o."firmwareVersion"', 'o."modelId"'],
    ['o."signatureId"', `''`, '0'],
    ['o."signatureId"', 'o."firmwareVersion"', 'o."modelId"'],
  ];
  for (const [unit, seconds] of [
    ['HOUR', 3_600],
    ['DAY', 86_400],
  ]) {
    for (const key of keys) {
      await run(`INSERT INTO "CrashTally" SELECT k1, '${unit}', k2, k3, slot, count(*) FROM (
        SELECT ${key[0]} AS k1, ${key[1]} AS k2, ${key[2]} AS k3,
          floor(extract(epoch FROM c."uploadedAt" AT TIME ZONE 'UTC') / ${seconds})::int AS slot FROM ${crashes}) x
        GROUP BY k1, k2, k3, slot`);
    }
  }
  await run(`UPDATE "CrashSignature" s SET count = v.count FROM
    (SELECT "signatureId", sum(count) AS count FROM "CrashVariant" GROUP BY 1) v WHERE v."signatureId" = s.id`);
  await run(`UPDATE "CrashGroup" g SET count = s.count, heat = 20000 + s.id % 97 / 10.0,
    "deviceCount" = (SELECT count(*) FROM "CrashDevice" x WHERE x."signatureId" = s.id) FROM "CrashSignature" s WHERE s."groupId" = g.id`);
  await run(
    `INSERT INTO "RegroupRun" ("fingerprintVersion", "startedAt", "finishedAt", total) VALUES ('v1', now(), now(), 0)`,
  );
  await run(index.rows[0]?.indexdef ?? '');
  await run('VACUUM ANALYZE');
  const ended = once(client, 'end');
  await client.end();
  await ended;
}
