import { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';

/**
 * What a rule has had an alert for, apart from spikes (spikes.ts). A row makes it one alert, however many servers see it.
 *
 * | key | one alert for | it ends |
 * | --- | --- | --- |
 * | `NEW_IN_VERSION:{modelId}:{version}` | the first crash of a version of a model | never |
 * | `CRASH_LOOP:{deviceId}` | a device that crashes again and again; `at` is its last crash | an hour after that |
 * | `WAITING_BUILD:{modelId}:sha:{digits}`, `WAITING_BUILD:{modelId}:version:{version}` | a build that dumps wait for | when no dump waits for it any more |
 * | `STORAGE` | a storage that is nearly full | some percent below the rule's number |
 */
export const toldKeys = {
  newInVersion: (modelId: number, version: string) => `NEW_IN_VERSION:${modelId}:${version}`,
  crashLoop: (deviceId: number) => `CRASH_LOOP:${deviceId}`,
  waitingBuild: (modelId: number, build: { firmwareVersion: string; elfSha256: string | null }) =>
    build.elfSha256 === null
      ? `${WAITING_PREFIX}${modelId}:version:${build.firmwareVersion}`
      : `${WAITING_PREFIX}${modelId}:sha:${build.elfSha256}`,
  storage: 'STORAGE',
};

export const WAITING_PREFIX = 'WAITING_BUILD:';

export interface Told {
  ruleId: number;
  key: string;
}

/** At once in one statement; SQLite binds at most 32,766 values. */
const ROWS_AT_ONCE = 1_000;

/**
 * Marks these as told. Those that other alerts were sent for, and that have not ended, stay as they are.
 * @param overBefore what was last seen before this time has ended by itself
 * @returns those that are to be told now
 */
export async function takeTold(
  tx: DbTransaction,
  told: readonly Told[],
  at: Date,
  overBefore?: Date,
): Promise<Told[]> {
  const taken: Told[] = [];
  // Always in the same order, so that two transactions never wait for each other's rows.
  const sorted = [...told].sort((a, b) => a.ruleId - b.ruleId || (a.key < b.key ? -1 : 1));
  for (let from = 0; from < sorted.length; from += ROWS_AT_ONCE) {
    const rows = sorted
      .slice(from, from + ROWS_AT_ONCE)
      .map(({ ruleId, key }) => Prisma.sql`(${ruleId}, ${key}, ${at}, NULL)`);
    const over = overBefore === undefined ? Prisma.sql`1 = 0` : Prisma.sql`"AlertTold"."at" < ${overBefore}`;
    taken.push(
      ...(await tx.$queryRaw<Told[]>`
        INSERT INTO "AlertTold" ("ruleId", "key", "at", "clearedAt") VALUES ${Prisma.join(rows)}
        ON CONFLICT ("ruleId", "key") DO UPDATE SET "at" = excluded."at", "clearedAt" = NULL
          WHERE "AlertTold"."clearedAt" IS NOT NULL OR ${over}
        RETURNING "ruleId", "key"`),
    );
  }
  return taken.map(({ ruleId, key }) => ({ ruleId: Number(ruleId), key }));
}

/** Removes rows that no alert depends on any more: loops and first crashes of long ago, and what has ended. */
export async function forgetTold(db: Db, before: Date): Promise<void> {
  await db.alertTold.deleteMany({
    where: {
      at: { lt: before },
      OR: [
        { key: { startsWith: 'CRASH_LOOP:' } },
        { key: { startsWith: 'NEW_IN_VERSION:' } },
        { clearedAt: { not: null } },
      ],
    },
  });
}
