import { Prisma } from '../platform/database/client.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';

interface VersionHealth {
  crashCount: number;
  /** Devices of the model that crashed with the version and still exist. */
  crashedDeviceCount: number;
}

/** For one request: one statement for each field, for any number of firmwares. */
export function createVersionLoaders(db: Db) {
  return {
    health: new DataLoader<number, VersionHealth>(async (ids) => {
      const known = await versionHealth(db, ids);
      return ids.map((id) => known.get(id) ?? { crashCount: 0, crashedDeviceCount: 0 });
    }),
    waiting: new DataLoader<number, number>(async (ids) => {
      const known = await waitingFor(db, ids);
      return ids.map((id) => known.get(id) ?? 0);
    }),
  };
}

/** Crashes of the versions of firmwares, in one statement. */
async function versionHealth(db: Db, firmwareIds: readonly number[]) {
  const rows = await db.$queryRaw<Array<{ id: number; crashes: number | bigint; devices: number | bigint }>>`
    SELECT f."id", sum(v."count") AS "crashes", count(d."id") AS "devices" FROM "Firmware" f
    JOIN "VersionDevice" v ON v."modelId" = f."modelId" AND v."firmwareVersion" = f."version"
    LEFT JOIN "Device" d ON d."id" = v."deviceId" AND d."modelId" = f."modelId" AND d."approval" = 'APPROVED'
    WHERE f."id" IN (${Prisma.join([...firmwareIds])}) GROUP BY f."id"`;
  return new Map<number, VersionHealth>(
    rows.map(({ id, crashes, devices }) => [
      id,
      { crashCount: Number(crashes), crashedDeviceCount: Number(devices) },
    ]),
  );
}

/** Dumps in the parse queue that will be parsed with the firmware, or that wait for its upload. */
async function waitingFor(db: Db, firmwareIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.$queryRaw<Array<{ id: number; count: number | bigint }>>`
    SELECT f."id", count(*) AS "count" FROM "Firmware" f
    JOIN "Device" d ON d."modelId" = f."modelId" JOIN "Coredump" c ON c."deviceId" = d."id"
    WHERE f."id" IN (${Prisma.join([...firmwareIds])}) AND c."parseStatus" = 'PENDING'
      AND (c."firmwareVersion" = f."version"
        OR c."appElfSha256" = substr(f."elfSha256", 1, length(c."appElfSha256")))
    GROUP BY f."id"`;
  return new Map(rows.map(({ id, count }) => [id, Number(count)]));
}
