import { describe, expect, inject, it } from 'vitest';
import { listCoredumps, listCoredumpsByParent, listCoredumpsOfGroups } from '../../src/coredumps/read.js';
import type { CoredumpFilter } from '../../src/coredumps/types.js';
import { listMissingFirmwares } from '../../src/crash-groups/missing-firmware.js';
import { listGroups } from '../../src/crash-groups/queries.js';
import { GROUP_ORDER_FIELDS } from '../../src/crash-groups/types.js';
import { searchOutputs } from '../../src/platform/database/text-search.js';
import type { Db } from '../../src/platform/database/types.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { explained } from '../support/plans.js';

/** In 10 groups; so many that a plan which reads them all is never the cheapest. */
const DUMPS = 20_000;
const isPostgresql = inject('postgresql') !== undefined;

/**
 * As long as VACUUM has not marked the newest rows as visible to everybody, PostgreSQL believes an index alone to be as
 * slow as the table, and other plans to be the cheapest.
 */
const STATES = isPostgresql ? ['vacuumed', 'not yet vacuumed'] : ['analyzed'];

describe.each(STATES)('with many dumps, %s', (state) => {
  it('a page of what only old dumps have is read without the newer ones', async () => {
    const { db } = await aGraphQLEndpoint();
    await manyDumps(db, state);
    const filters: CoredumpFilter[] = [
      { firmwareVersion: ['old'] },
      { crashVersion: ['old'] },
      { crashVersion: ['old', 'common'] },
      { firmwareVersion: ['common'] },
      { firmwareVersion: ['old', 'common', 'none'] },
      { firmwareVersion: ['common'], parseStatus: ['ERROR'] },
      { parseStatus: ['PENDING'] },
      { fingerprint: ['v1:old'] },
      { crashKind: ['ABORT'] },
      { crashedTask: ['old'] },
      { crashedTask: ['old', 'common'] },
      { firmwareId: [1] },
    ];

    for (const filter of filters) {
      for (const window of [{ take: 21 }, { take: 21, fromEnd: true }, { take: 21, beforeId: 6_000 }]) {
        const page = await rowsRead(db, (watched) => listCoredumps(watched, filter, window));

        expect({ filter, window, ...page }).toEqual({ filter, window, found: 21, rows: atMost(2 * 21) });
      }
    }
  });

  // SQLite ranks all dumps of the devices, which are as many as retention leaves.
  it.runIf(isPostgresql)(
    'the dumps of devices are as many rows as are shown (needs PostgreSQL)',
    async () => {
      const { db } = await aGraphQLEndpoint();
      await manyDumps(db, state);
      const devices = (await db.device.findMany()).map(({ id }) => id);

      for (const window of [{ take: 21 }, { take: 21, fromEnd: true }, { take: 21, beforeId: 10_000 }]) {
        const ofDevices = await rowsRead(db, async (watched) =>
          [...(await listCoredumpsByParent(watched, 'device', devices, {}, window)).values()].flat(),
        );

        expect(ofDevices).toEqual({ found: 21, rows: atMost(21) });
      }
    },
  );

  it('the dumps of groups are as many rows as are shown, twice at most', async () => {
    const { db } = await aGraphQLEndpoint();
    await manyDumps(db, state);

    for (const window of [{ take: 21 }, { take: 21, fromEnd: true }, { take: 21, beforeId: 10_000 }]) {
      const ofGroups = await rowsRead(db, async (watched) =>
        [...(await listCoredumpsOfGroups(watched, [1, 2, 3], window)).values()].flat(),
      );

      expect(ofGroups).toEqual({ found: 63, rows: atMost(2 * 63) });
    }
  });

  it('a page of the dumps of groups is some rows for each signature', async () => {
    const { db } = await aGraphQLEndpoint();
    await manyDumps(db, state);
    const filters: CoredumpFilter[] = [
      { crashGroupId: [3] },
      { crashGroupId: [3, 4] },
      { crashGroupId: [3, 4], parseStatus: ['ERROR', 'PENDING', 'PARSED'] },
    ];

    for (const filter of filters) {
      for (const window of [{ take: 21 }, { take: 21, fromEnd: true }, { take: 21, beforeId: 6_000 }]) {
        const page = await rowsRead(db, (watched) => listCoredumps(watched, filter, window));

        expect({ filter, window, ...page }).toEqual({ filter, window, found: 21, rows: atMost(8 * 21) });
      }
    }
  });

  it.runIf(isPostgresql)('the dumps of builds are as many rows as are shown (needs PostgreSQL)', async () => {
    const { db } = await aGraphQLEndpoint();
    await manyDumps(db, state);

    for (const window of [{ take: 21 }, { take: 21, fromEnd: true }, { take: 21, beforeId: 3_000 }]) {
      const ofBuild = await rowsRead(db, async (watched) =>
        [...(await listCoredumpsByParent(watched, 'firmware', [1], {}, window)).values()].flat(),
      );

      expect(ofBuild).toEqual({ found: 21, rows: atMost(21) });
    }
  });

  it('missing builds are counted over the dumps that wait for them', async () => {
    const { db } = await aGraphQLEndpoint();
    await manyDumps(db, state);

    const missing = await rowsRead(db, (watched) => listMissingFirmwares(watched, 20));

    expect(missing).toEqual({ found: 3, rows: atMost(100) });
  });

  // SQLite goes through the dumps as well, which its plan calls a scan whether or not a full page ends it.
  it.runIf(isPostgresql)(
    'a page by a word that most dumps have is full after few of them (needs PostgreSQL)',
    async () => {
      const { db } = await aGraphQLEndpoint();
      await manyDumps(db, state);

      const page = await rowsRead(db, (watched) => listCoredumps(watched, { search: 'ABORT' }, { take: 21 }));

      // Each dump with its text.
      expect(page).toEqual({ found: 21, rows: atMost(2 * 21) });
    },
  );

  it.each([
    ['a rare word', ['rare4711'], 1],
    ['a frequent word', ['abort'], 20],
    ['a phrase of a frequent and a rare word', ['function', '4711'], 1],
  ])('a search for %s does not read dump after dump', async (_, words, found) => {
    const { db } = await aGraphQLEndpoint();
    await manyDumps(db, state);

    const search = await rowsRead(db, (watched) =>
      searchOutputs({ db: watched, isShared: isPostgresql }, [{ words, isPrefix: true }], { take: 20 }),
    );

    expect(search).toEqual({ found, rows: atMost(250) });
  });

  it.each(GROUP_ORDER_FIELDS)('groups by %s are read without a look at dumps', async (field) => {
    const { db } = await aGraphQLEndpoint();
    await manyDumps(db, state);

    for (const direction of ['DESC', 'ASC'] as const) {
      const order = { field, direction };
      const groups = await rowsRead(db, (watched) => listGroups(watched, {}, { ...order, take: 21 }));

      expect({ direction, ...groups }).toEqual({ direction, found: 10, rows: atMost(0) });
    }
  });
});

describe('with many groups', () => {
  it.each(
    GROUP_ORDER_FIELDS.flatMap((field) => [
      { field, direction: 'DESC' as const },
      { field, direction: 'ASC' as const },
    ]),
  )('a page by $field $direction is read in its order, and nothing is sorted', async (order) => {
    const { db } = await aGraphQLEndpoint();
    await manyGroups(db);
    const after = { value: order.field.endsWith('_AT') ? new Date(Date.UTC(2026, 1, 11)) : 2_500, id: 2_500 };

    for (const window of [{ take: 21 }, { take: 21, fromEnd: true }, { take: 21, after }]) {
      const watch = explained(db, isPostgresql);
      const page = await listGroups(watch.db, {}, { ...order, ...window });

      expect({ window, found: page.length, sorts: watch.seen().sorts }).toEqual({
        window,
        found: 21,
        sorts: 0,
      });
    }
  });
});

async function manyGroups(db: Db): Promise<void> {
  const at = new Date('2026-02-11T00:00:00.000Z');
  await db.$executeRaw`
    INSERT INTO "CrashGroup" ("title", "reasonClass", "reason", "state", "count", "deviceCount", "heat",
      "firstSeenAt", "lastSeenAt", "updatedAt")
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
    SELECT 'abort', 'abort', 'abort()', 'OPEN', n, n, n, ${at}, ${at}, ${at} FROM numbers`;
  await db.$executeRawUnsafe('ANALYZE');
}

/** SQLite does not tell how many rows it read: there it counts that nothing is read from end to end. */
function atMost(rows: number): unknown {
  return isPostgresql ? expect.toSatisfy((seen: number) => seen <= rows, `at most ${rows}`) : 0;
}

async function rowsRead(db: Db, work: (watched: Db) => Promise<readonly unknown[]>) {
  const watch = explained(db, isPostgresql);
  const found = await work(watch.db);
  const { scanned, rows } = watch.seen();
  expect(scanned.filter((name) => BIG.has(name))).toEqual([]);
  return { found: found.length, rows };
}

/** Dumps and what is counted for each, by their names in PostgreSQL's plans and in SQLite's. */
const BIG = new Set(['Coredump', 'CrashOccurrence', 'c', 'o']);

async function manyDumps(db: Db, state: string): Promise<void> {
  const at = new Date('2026-02-11T14:30:00.000Z');
  const seen = { firstSeenAt: at, lastSeenAt: at };
  const model = await db.deviceModel.create({ data: { code: 'many', name: 'Many', createdAt: at } });
  const device = await db.device.create({
    data: { key: 'many', modelId: model.id, tokenSha256: 'many', createdAt: at, updatedAt: at },
  });
  const firmware = await db.firmware.create({
    data: { modelId: model.id, version: 'old', elfSha256: 'old', size: 1, uploadedAt: at },
  });
  const crash = { title: 'abort', reasonClass: 'abort', reason: 'abort()' };
  for (let group = 1; group <= 10; group++) {
    await db.crashGroup.create({
      data: {
        ...{ ...crash, ...seen, state: 'OPEN', heat: group },
        signatures: { create: { ...crash, ...seen, fingerprint: `v1:${group}` } },
      },
    });
  }
  await db.$executeRaw`
    INSERT INTO "Coredump" ("deviceId", "filename", "chip", "firmwareVersion", "size", "sha256", "uploadedAt",
      "fingerprint", "crashKind", "crashedTask", "firmwareId", "parseStatus", "parseErrorKind")
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${DUMPS})
    SELECT ${device.id}, 'many' || n, 'esp32c3', CASE WHEN n <= 200 THEN 'old' WHEN n <= 6800 THEN 'common' ELSE 'new' END,
      64, 'sha' || n, ${at}, CASE WHEN n <= 6800 THEN 'v1:old' ELSE 'v1:new' END,
      CASE WHEN n <= 6800 THEN 'ABORT' ELSE 'ASSERT' END,
      CASE WHEN n <= 200 THEN 'old' WHEN n <= 6800 THEN 'common' ELSE 'new' END,
      CASE WHEN n <= 6800 THEN CAST(${firmware.id} AS INTEGER) END,
      CASE WHEN n % 2 = 0 THEN 'ERROR' WHEN n <= 6800 THEN 'PENDING' ELSE 'PARSED' END,
      CASE WHEN n % 200 = 0 THEN 'missing_firmware' WHEN n % 2 = 0 THEN 'unreadable' END FROM numbers`;
  await db.$executeRaw`UPDATE "Coredump" SET "crashVersion" = "firmwareVersion"`;
  await db.$executeRaw`
    INSERT INTO "CrashOccurrence" ("coredumpId", "signatureId", "modelId", "firmwareVersion")
    SELECT c."id", 1 + c."id" % 10, ${model.id}, c."firmwareVersion" FROM "Coredump" c`;
  await db.$executeRaw`
    INSERT INTO "CoredumpText" ("coredumpId", "output")
    SELECT c."id", 'abort() in function_' || c."id" || ' of rare' || c."id" FROM "Coredump" c`;
  // VACUUM marks only what has reached the log's file, where commits do not wait for that.
  if (state === 'vacuumed') await db.$executeRawUnsafe('CHECKPOINT');
  await db.$executeRawUnsafe(state === 'vacuumed' ? 'VACUUM ANALYZE' : 'ANALYZE');
}
