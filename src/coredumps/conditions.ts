import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import { ofGroups } from '../platform/database/group-ids.js';
import { oneOf } from '../platform/database/one-of.js';
import { containsWords } from '../platform/database/text-search.js';
import type { CoredumpFilter } from './types.js';

/**
 * The one translation of a filter to SQL, which lists, counts, the dumps of a device or build, re-parses and deletions
 * share. "c" is the table alias of the dump. A condition on another table is a scalar subquery where possible: it is
 * evaluated dump by dump, so that a full page ends the reading. PostgreSQL would evaluate EXISTS for all rows at once.
 *
 * @param groups how dumps of crash groups are found: dump by dump, or all of the groups at once, to be counted
 */
export function conditions(
  filter: CoredumpFilter,
  { groups = 'one by one' }: { groups?: 'one by one' | 'all at once' } = {},
): Prisma.Sql {
  const { uploadedAfter, uploadedBefore, parsedAfter, parsedBefore, crashGroupId, hasRaw } = filter;
  const all = [
    oneOf(Prisma.sql`c."id"`, filter.id),
    oneOf(Prisma.sql`c."kind"`, filter.kind),
    oneOf(Prisma.sql`c."parseStatus"`, filter.parseStatus),
    oneOf(Prisma.sql`c."parseErrorKind"`, filter.parseErrorKind),
    oneOf(Prisma.sql`c."chip"`, filter.chip),
    oneOf(Prisma.sql`c."firmwareVersion"`, filter.firmwareVersion),
    oneOf(Prisma.sql`c."crashVersion"`, filter.crashVersion),
    oneOf(Prisma.sql`c."firmwareId"`, filter.firmwareId),
    oneOf(Prisma.sql`c."fingerprint"`, filter.fingerprint),
    oneOf(Prisma.sql`c."crashKind"`, filter.crashKind),
    oneOf(Prisma.sql`c."crashedTask"`, filter.crashedTask),
    oneOf(Prisma.sql`c."deviceId"`, filter.deviceId),
    ofDevices(Prisma.sql`d."key"`, filter.deviceKey),
    ofDevices(Prisma.sql`m."code"`, filter.modelCode),
    crashGroupId === undefined ? null : inGroups(crashGroupId, groups),
    hasRaw === undefined ? null : isRawStored(hasRaw),
    uploadedAfter === undefined ? null : Prisma.sql`c."uploadedAt" >= ${uploadedAfter}`,
    uploadedBefore === undefined ? null : Prisma.sql`c."uploadedAt" < ${uploadedBefore}`,
    parsedAfter === undefined ? null : Prisma.sql`c."parsedAt" >= ${parsedAfter}`,
    parsedBefore === undefined ? null : Prisma.sql`c."parsedAt" < ${parsedBefore}`,
    ...containsWords(filter.reason ?? '', (isIn) => isIn(Prisma.sql`c."reason"`)),
    ...containsWords(filter.search ?? '', (isIn) =>
      inDumpOrDevice(isIn, filter.searchesOutputs === true ? inOutput : inCrash),
    ),
  ].filter((condition) => condition !== null);
  return all.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(all, ' AND ');
}

/** Bounds are ids instead of a cursor's row: they stay valid when that row was deleted. */
export function within({ beforeId, afterId }: PageWindow): Prisma.Sql {
  const bounds = [
    beforeId === undefined ? null : Prisma.sql`c."id" < ${beforeId}`,
    afterId === undefined ? null : Prisma.sql`c."id" > ${afterId}`,
  ].filter((bound) => bound !== null);
  return bounds.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(bounds, ' AND ');
}

function ofDevices(column: Prisma.Sql, values: readonly string[] | undefined): Prisma.Sql | null {
  const named = oneOf(column, values);
  if (named === null) return null;
  return Prisma.sql`c."deviceId" IN (
    SELECT d."id" FROM "Device" d JOIN "DeviceModel" m ON m."id" = d."modelId" WHERE ${named})`;
}

function inGroups(groupIds: readonly number[], groups: 'one by one' | 'all at once'): Prisma.Sql {
  if (groups === 'all at once') {
    return Prisma.sql`c."id" IN (
      SELECT o."coredumpId" FROM "CrashSignature" s JOIN "CrashOccurrence" o ON o."signatureId" = s."id"
      WHERE ${ofGroups(Prisma.sql`s."groupId"`, groupIds)})`;
  }
  const groupId = Prisma.sql`(
    SELECT s."groupId" FROM "CrashOccurrence" o JOIN "CrashSignature" s ON s."id" = o."signatureId"
    WHERE o."coredumpId" = c."id")`;
  return ofGroups(groupId, groupIds);
}

/** The raw bytes are stored unless they were removed, or found missing. */
function isRawStored(wanted: boolean): Prisma.Sql {
  const missing = Prisma.sql`coalesce(
    (SELECT r."coredumpId" FROM "RemovedRaw" r WHERE r."coredumpId" = c."id"),
    (SELECT l."coredumpId" FROM "LostRaw" l WHERE l."coredumpId" = c."id"))`;
  return wanted ? Prisma.sql`${missing} IS NULL` : Prisma.sql`${missing} IS NOT NULL`;
}

type IsIn = (column: Prisma.Sql) => Prisma.Sql;

function inDumpOrDevice(isIn: IsIn, inContent: (isIn: IsIn) => Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
    ${isIn(Prisma.sql`c."filename"`)} OR ${isIn(Prisma.sql`c."chip"`)} OR ${isIn(Prisma.sql`c."firmwareVersion"`)}
    OR ${isIn(Prisma.sql`c."crashVersion"`)}
    OR (SELECT ${isIn(Prisma.sql`d."key"`)} OR ${isIn(Prisma.sql`d."serial"`)} OR ${isIn(Prisma.sql`d."name"`)} FROM "Device" d WHERE d."id" = c."deviceId")
    OR ${inContent(isIn)})`;
}

/** Newest first, a full page ends the reading of texts. */
function inOutput(isIn: IsIn): Prisma.Sql {
  return Prisma.sql`(SELECT ${isIn(Prisma.sql`t."output"`)} FROM "CoredumpText" t WHERE t."coredumpId" = c."id")`;
}

/** What everybody may read of the content. */
function inCrash(isIn: IsIn): Prisma.Sql {
  return Prisma.sql`(${isIn(Prisma.sql`c."reason"`)} OR ${isIn(Prisma.sql`c."crashedTask"`)}
    OR (SELECT ${isIn(Prisma.sql`s."title"`)} OR ${isIn(Prisma.sql`s."culpritFunction"`)} OR ${isIn(Prisma.sql`s."culpritFile"`)}
      FROM "CrashOccurrence" o JOIN "CrashSignature" s ON s."id" = o."signatureId" WHERE o."coredumpId" = c."id"))`;
}
