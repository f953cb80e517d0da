import { badInput } from '../errors.js';
import type { Db } from '../platform/database/types.js';

/** A build that dumps wait for. */
export interface MissingFirmwareRow {
  modelId: number;
  /** As the devices reported it. */
  firmwareVersion: string;
  /** First digits of the ELF's SHA-256, as in the dumps; null where they have none. */
  elfSha256Prefix: string | null;
  coredumpCount: number;
  deviceCount: number;
  lastSeenAt: Date;
}

const MAX_MISSING = 200;

/**
 * Builds to upload next, ordered by the number of dumps that wait for them: those without raw bytes are never read
 * again. Uses an index of the waiting dumps only.
 * @throws DomainError BAD_USER_INPUT
 */
export async function listMissingFirmwares(db: Db, take: number): Promise<MissingFirmwareRow[]> {
  if (take < 1 || take > MAX_MISSING)
    throw badInput(`"first" is from 1 to ${MAX_MISSING}.`, { field: 'first' });
  type Row = Omit<MissingFirmwareRow, 'lastSeenAt'> & { lastId: number };
  const rows = await db.$queryRaw<Row[]>`
    SELECT d."modelId", c."firmwareVersion", c."appElfSha256" AS "elfSha256Prefix", count(*) AS "coredumpCount",
      count(DISTINCT c."deviceId") AS "deviceCount", max(c."id") AS "lastId"
    FROM "Coredump" c JOIN "Device" d ON d."id" = c."deviceId"
    WHERE c."parseErrorKind" IN ('missing_firmware', 'lost_firmware')
      AND NOT EXISTS (SELECT 1 FROM "RemovedRaw" r WHERE r."coredumpId" = c."id")
    GROUP BY d."modelId", c."firmwareVersion", c."appElfSha256"
    ORDER BY count(*) DESC, max(c."id") DESC LIMIT ${take}`;
  const newest = await db.coredump.findMany({
    where: { id: { in: rows.map(({ lastId }) => Number(lastId)) } },
    select: { id: true, uploadedAt: true },
  });
  const times = new Map(newest.map(({ id, uploadedAt }) => [id, uploadedAt]));
  return rows.flatMap(({ lastId, coredumpCount, deviceCount, ...row }) => {
    const lastSeenAt = times.get(Number(lastId));
    // The model was deleted between the two statements.
    if (lastSeenAt === undefined) return [];
    return [{ ...row, coredumpCount: Number(coredumpCount), deviceCount: Number(deviceCount), lastSeenAt }];
  });
}
