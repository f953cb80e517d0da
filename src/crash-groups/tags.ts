import { z } from 'zod';
import { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import { BY_THE_SERVER, noteActivity } from './activity.js';

/** Labels that people, or rules, give to crash groups. */
export type TagRow = Prisma.TagGetPayload<object>;

/** Each has enough contrast in the light and in the dark theme. */
export const TAG_COLORS = ['GRAY', 'RED', 'ORANGE', 'YELLOW', 'GREEN', 'TEAL', 'BLUE', 'PURPLE'] as const;
export type TagColor = (typeof TAG_COLORS)[number];

export const MAX_TAGS = 200;
export const MAX_TAG_NAME = 32;
/** Of all tags together: each counted crash is compared with each. */
export const MAX_TAG_RULES = 200;

/** SQLite has no enums, and a newer server may write colors that this one does not know. */
export function colorOf({ color }: Pick<TagRow, 'color'>): TagColor {
  return TAG_COLORS.find((known) => known === color) ?? 'GRAY';
}

/**
 * Gives tags to a group by rules: not those that it has, nor those that a person took away. Subscribers hear of it.
 */
export async function tagByRule(
  tx: DbTransaction,
  groupId: number,
  tagIds: readonly number[],
  at: Date,
): Promise<void> {
  const given: number[] = [];
  for (const tagId of tagIds) {
    // A tag that is deleted meanwhile gives no row.
    const count = await tx.$executeRaw`
      INSERT INTO "GroupTag" ("groupId", "tagId", "byRule", "isRemoved")
      SELECT g."id", t."id", ${true}, ${false} FROM "CrashGroup" g JOIN "Tag" t ON t."id" = ${tagId}
      WHERE g."id" = ${groupId} ON CONFLICT ("groupId", "tagId") DO NOTHING`;
    if (count > 0) given.push(tagId);
  }
  if (given.length === 0) return;
  const tags = await tx.tag.findMany({ where: { id: { in: given } }, orderBy: { name: 'asc' } });
  const text = tags.map(({ name }) => name).join(', ');
  await noteActivity(tx, groupId, { kind: 'TAGGED', text, at, ...BY_THE_SERVER });
}

/** Gives the tags of some groups to the one that takes them in. What came from where is noted, for a split. */
export async function moveTags(tx: DbTransaction, fromIds: readonly number[], toId: number): Promise<void> {
  if (fromIds.length === 0) return;
  // Of a tag that several of them have, the one of the oldest group counts.
  await tx.$executeRaw`
    INSERT INTO "GroupTag" ("groupId", "tagId", "byRule", "isRemoved", "fromGroupId")
    SELECT g."id", x."tagId", x."byRule", ${false}, COALESCE(x."fromGroupId", x."groupId")
    FROM "GroupTag" x JOIN "CrashGroup" g ON g."id" = ${toId}
    WHERE x."groupId" IN (${Prisma.join([...fromIds])}) AND x."isRemoved" = ${false} ORDER BY x."groupId"
    ON CONFLICT ("groupId", "tagId") DO NOTHING`;
}

/** Gives a group the tags of another one, from which its crashes come; also what people took away stays away. */
export async function copyTags(tx: DbTransaction, fromId: number, toId: number): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "GroupTag" ("groupId", "tagId", "byRule", "isRemoved")
    SELECT g."id", x."tagId", x."byRule", x."isRemoved"
    FROM "GroupTag" x JOIN "CrashGroup" g ON g."id" = ${toId} WHERE x."groupId" = ${fromId}
    ON CONFLICT ("groupId", "tagId") DO NOTHING`;
}

const keptTags = z.array(
  z.object({
    tagId: z.int(),
    byRule: z.boolean(),
    isRemoved: z.boolean(),
    fromGroupId: z.int().nullable(),
  }),
);
const keptJson = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(keptTags);

/** The tags of groups as `MergedGroup.tags` keeps them. */
export async function tagsToKeep(
  tx: DbTransaction,
  groupIds: readonly number[],
): Promise<(groupId: number) => string | null> {
  const rows = await tx.groupTag.findMany({ where: { groupId: { in: [...groupIds] } } });
  return (groupId) => {
    const own = rows.filter((row) => row.groupId === groupId);
    const kept = own.map(({ tagId, byRule, isRemoved, fromGroupId }) => ({
      tagId,
      byRule,
      isRemoved,
      fromGroupId,
    }));
    return kept.length === 0 ? null : JSON.stringify(kept);
  };
}

/** A group that comes back has its tags again, and the one that had taken it in loses those that came with it. */
export async function giveTagsBack(
  tx: DbTransaction,
  fromId: number,
  { id, tags }: { id: number; tags: string | null },
): Promise<void> {
  await tx.groupTag.deleteMany({ where: { groupId: fromId, fromGroupId: id } });
  if (tags === null) return;
  const kept = keptJson.parse(tags);
  const known = await tx.tag.findMany({
    where: { id: { in: kept.map(({ tagId }) => tagId) } },
    select: { id: true },
  });
  // What it had taken in itself may have come back on its own before.
  const origins = await tx.mergedGroup.findMany({
    where: { id: { in: kept.flatMap(({ fromGroupId }) => fromGroupId ?? []) } },
    select: { id: true },
  });
  await tx.groupTag.createMany({
    data: kept
      .filter(({ tagId }) => known.some((tag) => tag.id === tagId))
      .filter(
        ({ fromGroupId }) => fromGroupId === null || origins.some((origin) => origin.id === fromGroupId),
      )
      .map((tag) => ({ ...tag, groupId: id })),
  });
}
