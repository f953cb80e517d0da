import { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import type { Crash } from './types.js';

/** The counters of a signature (its variants and devices), and of versions. A counter that reaches 0 is deleted. */

export async function incrementVariant(tx: DbTransaction, signatureId: number, crash: Crash): Promise<void> {
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

export async function decrementVariant(tx: DbTransaction, signatureId: number, crash: Crash): Promise<void> {
  const { modelId, firmwareVersion, chip } = crash;
  const where = { signatureId, modelId, firmwareVersion, chip };
  await tx.crashVariant.updateMany({ where, data: { count: { decrement: 1 } } });
  await tx.crashVariant.deleteMany({ where: { ...where, count: { lte: 0 } } });
}

export async function incrementDevice(
  tx: DbTransaction,
  signatureId: number,
  { deviceId }: Crash,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "CrashDevice" ("signatureId", "deviceId", "count") VALUES (${signatureId}, ${deviceId}, 1)
    ON CONFLICT ("signatureId", "deviceId") DO UPDATE SET "count" = "CrashDevice"."count" + 1`;
}

export async function decrementDevice(
  tx: DbTransaction,
  signatureId: number,
  { deviceId }: Crash,
): Promise<void> {
  const where = { signatureId, deviceId };
  await tx.crashDevice.updateMany({ where, data: { count: { decrement: 1 } } });
  await tx.crashDevice.deleteMany({ where: { ...where, count: { lte: 0 } } });
}

export async function incrementVersionDevices(tx: DbTransaction, crashes: readonly Crash[]): Promise<void> {
  const counts = new Map<string, { columns: Array<string | number>; count: number }>();
  for (const { modelId, firmwareVersion, deviceId } of crashes) {
    const columns = [modelId, firmwareVersion, deviceId];
    const key = JSON.stringify(columns);
    counts.set(key, { columns, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  // Always in the same order, so that two transactions never wait for each other's rows.
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

/** SQLite binds at most 32,766 values in a statement, and PostgreSQL 65,535. */
const ROWS_AT_ONCE = 1_000;

export async function decrementVersionDevice(tx: DbTransaction, crash: Crash): Promise<void> {
  const { modelId, firmwareVersion, deviceId } = crash;
  const where = { modelId, firmwareVersion, deviceId };
  await tx.versionDevice.updateMany({ where, data: { count: { decrement: 1 } } });
  await tx.versionDevice.deleteMany({ where: { ...where, count: { lte: 0 } } });
}
