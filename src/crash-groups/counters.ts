import { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import type { Crash } from './types.js';

/** The counters beside a signature: what it was seen on, and whom it hit. */

export async function upsertVariant(tx: DbTransaction, signatureId: number, crash: Crash): Promise<void> {
  const { modelId, firmwareVersion, chip, at } = crash;
  await tx.$executeRaw`
    INSERT INTO "CrashVariant" ("signatureId", "modelId", "firmwareVersion", "chip", "count", "firstSeenAt", "lastSeenAt")
    VALUES (${signatureId}, ${modelId}, ${firmwareVersion}, ${chip}, 1, ${at}, ${at})
    ON CONFLICT ("signatureId", "modelId", "firmwareVersion", "chip") DO UPDATE SET
      "count" = "CrashVariant"."count" + 1,
      "firstSeenAt" = CASE WHEN excluded."firstSeenAt" < "CrashVariant"."firstSeenAt"
        THEN excluded."firstSeenAt" ELSE "CrashVariant"."firstSeenAt" END,
      "lastSeenAt" = CASE WHEN excluded."lastSeenAt" > "CrashVariant"."lastSeenAt"
        THEN excluded."lastSeenAt" ELSE "CrashVariant"."lastSeenAt" END`;
}

export async function uncountVariant(tx: DbTransaction, signatureId: number, crash: Crash): Promise<void> {
  const { modelId, firmwareVersion, chip } = crash;
  const where = { signatureId, modelId, firmwareVersion, chip };
  await tx.crashVariant.updateMany({ where, data: { count: { decrement: 1 } } });
  await tx.crashVariant.deleteMany({ where: { ...where, count: { lte: 0 } } });
}

export async function upsertDevice(
  tx: DbTransaction,
  signatureId: number,
  { deviceId }: Crash,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "CrashDevice" ("signatureId", "deviceId", "count") VALUES (${signatureId}, ${deviceId}, 1)
    ON CONFLICT ("signatureId", "deviceId") DO UPDATE SET "count" = "CrashDevice"."count" + 1`;
}

export async function uncountDevice(
  tx: DbTransaction,
  signatureId: number,
  { deviceId }: Crash,
): Promise<void> {
  const where = { signatureId, deviceId };
  await tx.crashDevice.updateMany({ where, data: { count: { decrement: 1 } } });
  await tx.crashDevice.deleteMany({ where: { ...where, count: { lte: 0 } } });
}

/** Each crash on its version and device; those of the same are one row. */
export async function countVersionDevices(tx: DbTransaction, crashes: readonly Crash[]): Promise<void> {
  const counts = new Map<string, { columns: Array<string | number>; count: number }>();
  for (const { modelId, firmwareVersion, deviceId } of crashes) {
    const columns = [modelId, firmwareVersion, deviceId];
    const key = JSON.stringify(columns);
    counts.set(key, { columns, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  // In one order everywhere, so that two transactions never wait for each other's rows.
  const rows = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { columns, count }]) => Prisma.sql`(${Prisma.join([...columns, count])})`);
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    await tx.$executeRaw`
      INSERT INTO "VersionDevice" ("modelId", "firmwareVersion", "deviceId", "count")
      VALUES ${Prisma.join(rows.slice(from, from + ROWS_AT_ONCE))}
      ON CONFLICT ("modelId", "firmwareVersion", "deviceId")
      DO UPDATE SET "count" = "VersionDevice"."count" + excluded."count"`;
  }
}

/** Databases bind no more than some ten thousand values. */
const ROWS_AT_ONCE = 1_000;

export async function uncountVersionDevice(tx: DbTransaction, crash: Crash): Promise<void> {
  const { modelId, firmwareVersion, deviceId } = crash;
  const where = { modelId, firmwareVersion, deviceId };
  await tx.versionDevice.updateMany({ where, data: { count: { decrement: 1 } } });
  await tx.versionDevice.deleteMany({ where: { ...where, count: { lte: 0 } } });
}
