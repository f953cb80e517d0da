import { Prisma } from '../platform/database/client.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';

/** A build that dumps wait for. */
export interface MissingFirmwareRow {
  modelId: number;
  /** As the devices reported it. */
  firmwareVersion: string;
  /** Leading digits of the ELF's SHA-256, as the dumps carry it; null where they carry none. */
  elfSha256Prefix: string | null;
  coredumpCount: number;
  deviceCount: number;
  lastSeenAt: Date;
}

/** What to upload next, by how many dumps wait for it. Reads an index of those that wait, and no other dump. */
export async function missingFirmwares(db: Db, take: number): Promise<MissingFirmwareRow[]> {
  type Row = Omit<MissingFirmwareRow, 'lastSeenAt'> & { lastId: number };
  const rows = await db.$queryRaw<Row[]>`
    SELECT d."modelId", c."firmwareVersion", c."appElfSha256" AS "elfSha256Prefix", count(*) AS "coredumpCount",
      count(DISTINCT c."deviceId") AS "deviceCount", max(c."id") AS "lastId"
    FROM "Coredump" c JOIN "Device" d ON d."id" = c."deviceId"
    WHERE c."parseErrorKind" IN ('missing_firmware', 'lost_firmware')
    GROUP BY d."modelId", c."firmwareVersion", c."appElfSha256"
    ORDER BY count(*) DESC, max(c."id") DESC LIMIT ${take}`;
  const newest = await db.coredump.findMany({
    where: { id: { in: rows.map(({ lastId }) => Number(lastId)) } },
    select: { id: true, uploadedAt: true },
  });
  const times = new Map(newest.map(({ id, uploadedAt }) => [id, uploadedAt]));
  return rows.flatMap(({ lastId, coredumpCount, deviceCount, ...row }) => {
    const lastSeenAt = times.get(Number(lastId));
    // Deleted between the two statements.
    if (lastSeenAt === undefined) return [];
    return [{ ...row, coredumpCount: Number(coredumpCount), deviceCount: Number(deviceCount), lastSeenAt }];
  });
}

interface VersionHealth {
  crashCount: number;
  /** Devices of the model that crashed with the version and are still there. */
  crashedDeviceCount: number;
}

/** For one request: one statement each, however many firmwares ask. */
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

/** How the versions of firmwares do, in one statement. */
async function versionHealth(db: Db, firmwareIds: readonly number[]) {
  const rows = await db.$queryRaw<Array<{ id: number; crashes: number | bigint; devices: number | bigint }>>`
    SELECT f."id", sum(v."count") AS "crashes", count(d."id") AS "devices" FROM "Firmware" f
    JOIN "VersionDevice" v ON v."modelId" = f."modelId" AND v."firmwareVersion" = f."version"
    LEFT JOIN "Device" d ON d."id" = v."deviceId" AND d."modelId" = f."modelId"
    WHERE f."id" IN (${Prisma.join([...firmwareIds])}) GROUP BY f."id"`;
  return new Map<number, VersionHealth>(
    rows.map(({ id, crashes, devices }) => [
      id,
      { crashCount: Number(crashes), crashedDeviceCount: Number(devices) },
    ]),
  );
}

/** Dumps in the parse queue that a firmware will be tried on, or that wait for it in vain so far. */
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
