import { MAX_PARENTS } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import DataLoader from '../platform/database/data-loader.js';
import { rowsById } from '../platform/database/rows-by-id.js';
import type { Db } from '../platform/database/types.js';
import type { TagConditions, TagRuleRow } from './tag-rules.js';
import { previewTagRule } from './tag-work.js';
import { MAX_TAGS, type TagRow } from './tags.js';

export type TagQueries = ReturnType<typeof createTagQueries>;

export function createTagQueries(db: Db) {
  return {
    /** By name. */
    list: (): Promise<TagRow[]> => db.tag.findMany({ orderBy: { name: 'asc' }, take: MAX_TAGS }),
    previewRule: (rule: TagConditions) => previewTagRule(db, rule),
  };
}

/** For one request: one statement per loader. */
export function createTagLoaders(db: Db) {
  return {
    byId: rowsById<TagRow>((ids) => db.tag.findMany({ where: { id: { in: [...ids] } } })),
    ruleById: rowsById<TagRuleRow>((ids) => db.tagRule.findMany({ where: { id: { in: [...ids] } } })),

    /** By name. */
    ofGroup: new DataLoader<number, TagRow[]>(
      async (groupIds) => {
        const rows = await db.lookup<TagRow & { groupId: number }>(Prisma.sql`
          SELECT x."groupId", t."id", t."name", t."color" FROM "GroupTag" x JOIN "Tag" t ON t."id" = x."tagId"
          WHERE x."groupId" IN (${Prisma.join([...groupIds])}) AND x."isRemoved" = ${false} ORDER BY t."name"`);
        const byGroup = new Map<number, TagRow[]>(groupIds.map((id) => [id, []]));
        for (const { groupId, ...tag } of rows) byGroup.get(groupId)?.push(tag);
        return groupIds.map((id) => byGroup.get(id) ?? []);
      },
      { maxBatchSize: MAX_PARENTS },
    ),

    /** Groups that have a tag. */
    groupCount: new DataLoader<number, number>(
      async (tagIds) => {
        const counts = await db.groupTag.groupBy({
          by: 'tagId',
          where: { tagId: { in: [...tagIds] }, isRemoved: false },
          _count: true,
        });
        const byTag = new Map(counts.map(({ tagId, _count }) => [tagId, _count]));
        return tagIds.map((id) => byTag.get(id) ?? 0);
      },
      { maxBatchSize: MAX_PARENTS },
    ),

    rulesOf: new DataLoader<number, TagRuleRow[]>(
      async (tagIds) => {
        const rows = await db.tagRule.findMany({
          where: { tagId: { in: [...tagIds] } },
          orderBy: { id: 'asc' },
        });
        return tagIds.map((id) => rows.filter(({ tagId }) => tagId === id));
      },
      { maxBatchSize: MAX_PARENTS },
    ),
  };
}
