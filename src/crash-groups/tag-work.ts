import { Prisma } from '../platform/database/client.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db } from '../platform/database/types.js';
import type { RuleWork } from './rule-runs.js';
import { type CrashFacts, meets, type TagConditions } from './tag-rules.js';
import { tagByRule } from './tags.js';

/** Signatures between two writes of the progress. */
const BATCH = 100;

/** Gives the tag of a new or changed rule to the groups that there are. */
export function createTagWork({ db, now }: { db: Db; now: () => Date }): RuleWork {
  return {
    prefix: 'tag rule ',
    keepsFinished: false,
    count: (tx) => tx.crashSignature.count(),
    next: (_, afterId) => nextSignatures(db, afterId),

    async apply(ruleId, ids) {
      const rule = await db.tagRule.findUnique({ where: { id: ruleId } });
      if (rule === null) return;
      for (const groupId of await groupsThatMeet(db, ids, rule)) {
        await inTransaction(db, (tx) => tagByRule(tx, groupId, [rule.tagId], now()));
      }
    },
  };
}

/** What a rule would do. */
export interface TagRulePreview {
  /** Groups that meet it, also those that have its tag. */
  groupCount: number;
  /** Some of them. */
  groupIds: number[];
  /** Whether all groups were looked at. */
  isComplete: boolean;
}

const EXAMPLES = 5;
/** A preview that takes longer ends with what it has. */
const MAX_MS = 4_000;

export async function previewTagRule(db: Db, rule: TagConditions): Promise<TagRulePreview> {
  const endsAt = performance.now() + MAX_MS;
  const groups = new Set<number>();
  for (let afterId = 0; ; ) {
    const ids = await nextSignatures(db, afterId);
    const last = ids.at(-1);
    const isComplete = last === undefined;
    if (isComplete || performance.now() > endsAt)
      return { groupCount: groups.size, groupIds: [...groups].slice(0, EXAMPLES), isComplete };
    for (const id of await groupsThatMeet(db, ids, rule)) groups.add(id);
    afterId = last;
  }
}

async function nextSignatures(db: Db, afterId: number): Promise<number[]> {
  const rows = await db.crashSignature.findMany({
    where: { id: { gt: afterId } },
    orderBy: { id: 'asc' },
    take: BATCH,
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/**
 * The groups of those of these signatures that have a crash which meets the conditions. Of deleted dumps no task is
 * known, and of the reasons only the first.
 */
async function groupsThatMeet(
  db: Db,
  signatureIds: readonly number[],
  rule: TagConditions,
): Promise<number[]> {
  const needsDumps = rule.task !== null || rule.reason !== null;
  const facts = [
    ...(rule.task === null ? await countedFacts(db, signatureIds) : []),
    ...(needsDumps ? await storedFacts(db, signatureIds) : []),
  ];
  const ids = facts.filter((each) => meets(each, rule)).map(({ groupId }) => Number(groupId));
  return [...new Set(ids)].sort((a, b) => a - b);
}

type GroupFacts = CrashFacts & { groupId: number };

function countedFacts(db: Db, signatureIds: readonly number[]): Promise<GroupFacts[]> {
  return db.lookup<GroupFacts>(Prisma.sql`
    SELECT s."groupId", v."modelId", s."kind", s."culpritFunction" AS "function", s."culpritFile" AS "file",
      NULL AS "task", s."reason", v."firmwareVersion" AS "version"
    FROM "CrashSignature" s JOIN "CrashVariant" v ON v."signatureId" = s."id"
    WHERE s."id" IN (${Prisma.join([...signatureIds])})`);
}

function storedFacts(db: Db, signatureIds: readonly number[]): Promise<GroupFacts[]> {
  return db.lookup<GroupFacts>(Prisma.sql`
    SELECT DISTINCT s."groupId", o."modelId", s."kind", s."culpritFunction" AS "function",
      s."culpritFile" AS "file", c."crashedTask" AS "task", COALESCE(c."reason", s."reason") AS "reason",
      o."firmwareVersion" AS "version"
    FROM "CrashSignature" s JOIN "CrashOccurrence" o ON o."signatureId" = s."id"
    JOIN "Coredump" c ON c."id" = o."coredumpId"
    WHERE s."id" IN (${Prisma.join([...signatureIds])})`);
}
