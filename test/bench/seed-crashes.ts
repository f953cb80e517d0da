import pg from 'pg';
import { FINGERPRINT_VERSION } from '../../src/crashdump/index.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { bulkLoad } from './bulk-load.js';

const GROUPS = 2_000;
const DEVICES = 2_000;
const MODELS = 4;
const VERSIONS = 5;

/**
 * Dumps of 30 days in a new PostgreSQL database as uploads, parses and counting would leave them: groups in turns, each
 * of them with devices, versions and models of all kinds. One dump of a thousand waits for a firmware.
 */
export async function seedCrashes(url: string, dumps: number): Promise<void> {
  await (await openDatabase(url)).close();
  const client = new pg.Client(url);
  await client.connect();
  try {
    await bulkLoad(client, async (run) => {
      for (const sql of [...fleet(), ...crashes(dumps), ...counters()]) await run(sql);
    });
  } finally {
    await client.end();
  }
}

const NOW = `(now() AT TIME ZONE 'UTC')`;

function fleet(): string[] {
  const crash = `'abort in function_' || i, 'abort', 'abort()'`;
  return [
    `INSERT INTO "DeviceModel" ("code", "name", "createdAt") SELECT 'm' || i, 'm', ${NOW} FROM generate_series(1, ${MODELS}) i`,
    `INSERT INTO "Device" ("key", "modelId", "tokenSha256", "createdAt", "updatedAt")
      SELECT 'd' || i, 1 + i % ${MODELS}, i, ${NOW}, ${NOW} FROM generate_series(1, ${DEVICES}) i`,
    `INSERT INTO "Firmware" ("modelId", "version", "elfSha256", "size", "uploadedAt")
      SELECT m, '1.' || v, md5(m || '.' || v), 1000, ${NOW} FROM generate_series(1, ${MODELS}) m, generate_series(0, ${VERSIONS - 1}) v`,
    `INSERT INTO "CrashGroup" ("title", "reasonClass", "reason", "culpritFunction", "state", "firstSeenAt", "lastSeenAt", "heat")
      SELECT ${crash}, 'function_' || i, 'OPEN', ${NOW}, ${NOW}, 0 FROM generate_series(1, ${GROUPS}) i`,
    `INSERT INTO "CrashSignature" ("fingerprint", "groupId", "title", "reasonClass", "reason", "firstSeenAt", "lastSeenAt")
      SELECT '${FINGERPRINT_VERSION}:' || i, i, ${crash}, ${NOW}, ${NOW} FROM generate_series(1, ${GROUPS}) i`,
    `INSERT INTO "RegroupRun" ("fingerprintVersion", "startedAt", "finishedAt", "total")
      VALUES ('${FINGERPRINT_VERSION}', ${NOW}, ${NOW}, 0)`,
  ];
}

/** A group's dumps come from everywhere: number and group have no common divisor with what devices are counted by. */
function crashes(dumps: number): string[] {
  const frames = `repeat('#1 0x42000000 in app_main () at main.c:12' || E'\\n', 5)`;
  return [
    `INSERT INTO "Coredump" ("deviceId", "filename", "chip", "firmwareVersion", "size", "sha256", "uploadedAt",
        "parseStatus", "parseErrorKind", "fingerprint")
      SELECT 1 + (i / 7 + i) % ${DEVICES}, 'f' || i, 'esp32c3', '1.' || (i / 3) % ${VERSIONS}, 65536, md5(i::text),
        ${NOW} - (${dumps} - i) * (interval '30 days' / ${dumps}),
        CASE WHEN i % 1000 = 0 THEN 'ERROR' ELSE 'PARSED' END,
        CASE WHEN i % 1000 = 0 THEN 'missing_firmware' END,
        CASE WHEN i % 1000 > 0 THEN '${FINGERPRINT_VERSION}:' || (1 + i % ${GROUPS}) END
      FROM generate_series(1, ${dumps}) i`,
    `INSERT INTO "CoredumpText" ("coredumpId", "output")
      SELECT i, 'abort() was called in function_' || (1 + i % ${GROUPS}) || ' of task' || i % 50 || ' rare' || i || E'\\n' || ${frames}
      FROM generate_series(1, ${dumps}) i`,
    `INSERT INTO "CrashOccurrence" ("coredumpId", "signatureId", "modelId", "firmwareVersion")
      SELECT c."id", CASE WHEN c."parseStatus" = 'PARSED' THEN 1 + c."id" % ${GROUPS} END, d."modelId", c."firmwareVersion"
      FROM "Coredump" c JOIN "Device" d ON d."id" = c."deviceId"`,
    // What the counters are made of, so that it is put together once.
    `CREATE TEMPORARY TABLE crash AS SELECT o."signatureId" AS signature, o."modelId" AS model, o."firmwareVersion" AS version,
        c."chip" AS chip, c."deviceId" AS device, c."uploadedAt" AS at, extract(epoch FROM c."uploadedAt")::bigint AS second
      FROM "CrashOccurrence" o JOIN "Coredump" c ON c."id" = o."coredumpId"; ANALYZE crash`,
  ];
}

function counters(): string[] {
  const grouped = 'FROM crash WHERE signature IS NOT NULL';
  const tally = (unit: string, seconds: number, [signature, version, model]: readonly string[], where = '') =>
    `INSERT INTO "CrashTally" SELECT ${signature}, '${unit}', ${version}, ${model}, (second / ${seconds})::int, count(*)
      FROM crash ${where} GROUP BY 1, 2, 3, 4, 5`;
  const ofFleet = [
    ['0', `''`, '0'],
    ['0', `''`, 'model'],
    ['0', 'version', 'model'],
  ];
  const ofSignatures = [
    ['signature', `''`, '0'],
    ['signature', 'version', 'model'],
  ];
  return [
    `INSERT INTO "CrashVariant" SELECT signature, model, version, chip, count(*), min(at), max(at) ${grouped} GROUP BY 1, 2, 3, 4`,
    `INSERT INTO "CrashDevice" SELECT signature, device, count(*) ${grouped} GROUP BY 1, 2`,
    `INSERT INTO "VersionDevice" SELECT model, version, device, count(*) FROM crash GROUP BY 1, 2, 3`,
    ...[['HOUR', 3_600] as const, ['DAY', 86_400] as const].flatMap(([unit, seconds]) => [
      ...ofFleet.map((key) => tally(unit, seconds, key)),
      ...ofSignatures.map((key) => tally(unit, seconds, key, 'WHERE signature IS NOT NULL')),
    ]),
    `UPDATE "CrashSignature" s SET "count" = x.n, "firstSeenAt" = x.first, "lastSeenAt" = x.last
      FROM (SELECT signature, count(*) AS n, min(at) AS first, max(at) AS last ${grouped} GROUP BY 1) x WHERE x.signature = s."id"`,
    `UPDATE "CrashGroup" g SET "count" = s."count", "firstSeenAt" = s."firstSeenAt", "lastSeenAt" = s."lastSeenAt",
        "heat" = 20000 + s."id" % 97 / 10.0,
        "deviceCount" = (SELECT count(*) FROM "CrashDevice" x WHERE x."signatureId" = s."id")
      FROM "CrashSignature" s WHERE s."groupId" = g."id"`,
  ];
}
