import { Prisma } from '../platform/database/client.js';
import { oneOf } from '../platform/database/one-of.js';
import { containsWords } from '../platform/database/text-search.js';
import type { CrashGroupFilter } from './types.js';

/** The condition of a filter in SQL that SQLite and PostgreSQL both understand. "g" is the group. */
export function matchingGroups(filter: CrashGroupFilter): Prisma.Sql {
  const { modelCode, firmwareVersion, chip, deviceKey, fingerprint, isRegression } = filter;
  const { firstSeenAfter, firstSeenBefore, lastSeenAfter, lastSeenBefore, search } = filter;
  const all = [
    withId(filter.id),
    oneOf(Prisma.sql`g."state"`, filter.state),
    oneOf(Prisma.sql`g."kind"`, filter.kind),
    oneOf(Prisma.sql`g."reasonClass"`, filter.reasonClass),
    oneOf(Prisma.sql`g."assignee"`, filter.assignee),
    isSet(Prisma.sql`g."assignee"`, filter.isAssigned),
    withVariant(modelCode, firmwareVersion, chip),
    withDevice(deviceKey),
    withSignature(oneOf(Prisma.sql`s."fingerprint"`, fingerprint)),
    withBuild(filter.firmwareId),
    withTag(filter.tagId),
    isSet(Prisma.sql`g."regressedAt"`, isRegression),
    firstSeenAfter === undefined ? null : Prisma.sql`g."firstSeenAt" >= ${firstSeenAfter}`,
    firstSeenBefore === undefined ? null : Prisma.sql`g."firstSeenAt" < ${firstSeenBefore}`,
    lastSeenAfter === undefined ? null : Prisma.sql`g."lastSeenAt" >= ${lastSeenAfter}`,
    lastSeenBefore === undefined ? null : Prisma.sql`g."lastSeenAt" < ${lastSeenBefore}`,
    ...containsWords(search ?? '', inGroup),
  ].filter((condition) => condition !== null);
  return all.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(all, ' AND ');
}

/** The groups with these ids, and those that took them in. */
function withId(ids: readonly number[] | undefined): Prisma.Sql | null {
  const own = oneOf(Prisma.sql`g."id"`, ids);
  const merged = oneOf(Prisma.sql`m."id"`, ids);
  if (own === null || merged === null) return null;
  return Prisma.sql`(${own} OR g."id" IN (SELECT m."intoId" FROM "MergedGroup" m WHERE ${merged}))`;
}

/** One stored dump at least was parsed with one of these builds. */
function withBuild(ids: readonly number[] | undefined): Prisma.Sql | null {
  const ofBuild = oneOf(Prisma.sql`c."firmwareId"`, ids);
  if (ofBuild === null) return null;
  return Prisma.sql`g."id" IN (SELECT s."groupId" FROM "Coredump" c
    JOIN "CrashOccurrence" o ON o."coredumpId" = c."id"
    JOIN "CrashSignature" s ON s."id" = o."signatureId" WHERE ${ofBuild})`;
}

function withTag(ids: readonly number[] | undefined): Prisma.Sql | null {
  const ofTag = oneOf(Prisma.sql`x."tagId"`, ids);
  if (ofTag === null) return null;
  return Prisma.sql`g."id" IN (SELECT x."groupId" FROM "GroupTag" x WHERE ${ofTag} AND x."isRemoved" = ${false})`;
}

function isSet(column: Prisma.Sql, expected: boolean | undefined): Prisma.Sql | null {
  if (expected === undefined) return null;
  return Prisma.sql`${column} IS ${expected ? Prisma.sql`NOT NULL` : Prisma.sql`NULL`}`;
}

/** One variant must match model, version and chip together. */
function withVariant(
  modelCode: readonly string[] | undefined,
  firmwareVersion: readonly string[] | undefined,
  chip: readonly string[] | undefined,
): Prisma.Sql | null {
  const ofModel = oneOf(Prisma.sql`m."code"`, modelCode);
  const wanted = [
    ofModel === null
      ? null
      : Prisma.sql`v."modelId" IN (SELECT m."id" FROM "DeviceModel" m WHERE ${ofModel})`,
    oneOf(Prisma.sql`v."firmwareVersion"`, firmwareVersion),
    oneOf(Prisma.sql`v."chip"`, chip),
  ].filter((condition) => condition !== null);
  if (wanted.length === 0) return null;
  return Prisma.sql`g."id" IN (SELECT s."groupId" FROM "CrashVariant" v
    JOIN "CrashSignature" s ON s."id" = v."signatureId" WHERE ${Prisma.join(wanted, ' AND ')})`;
}

function withDevice(keys: readonly string[] | undefined): Prisma.Sql | null {
  const named = oneOf(Prisma.sql`d."key"`, keys);
  if (named === null) return null;
  return Prisma.sql`g."id" IN (SELECT s."groupId" FROM "Device" d JOIN "CrashDevice" x ON x."deviceId" = d."id"
    JOIN "CrashSignature" s ON s."id" = x."signatureId" WHERE ${named})`;
}

function withSignature(condition: Prisma.Sql | null): Prisma.Sql | null {
  if (condition === null) return null;
  return Prisma.sql`g."id" IN (SELECT s."groupId" FROM "CrashSignature" s WHERE ${condition})`;
}

function inGroup(isIn: (column: Prisma.Sql) => Prisma.Sql): Prisma.Sql {
  const columns = ['title', 'reason', 'culpritFunction', 'culpritFile', 'assignee', 'note'];
  const anywhere = columns.map((name) => isIn(Prisma.sql`g.${Prisma.raw(`"${name}"`)}`));
  return Prisma.sql`(${Prisma.join(anywhere, ' OR ')})`;
}
