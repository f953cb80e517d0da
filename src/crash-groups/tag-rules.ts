import { type CrashReport, matchesName, matchesPattern } from '../crashdump/index.js';
import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import { describeCrash } from './describe-crash.js';
import { tagByRule } from './tags.js';
import type { Crash } from './types.js';

export type TagRuleRow = Prisma.TagRuleGetPayload<object>;

/** Conditions of a rule: all that are set must be met by one crash. Texts are patterns with `*`. */
export type TagConditions = Omit<TagRuleRow, 'id' | 'tagId'>;

/** What rules look at of a crash. */
export interface CrashFacts {
  modelId: number;
  kind: string;
  /** Of the culprit. */
  function: string | null;
  /** Of the culprit, without folders. */
  file: string | null;
  task: string | null;
  reason: string;
  version: string;
}

/** Whether a crash meets all conditions. */
export function meets(facts: CrashFacts, rule: TagConditions): boolean {
  return (
    (rule.modelId === null || rule.modelId === facts.modelId) &&
    (rule.kind === null || rule.kind === facts.kind) &&
    (rule.function === null || (facts.function !== null && matchesName(facts.function, rule.function))) &&
    isLike(facts.file, rule.file) &&
    isLike(facts.task, rule.task) &&
    isLike(facts.reason, rule.reason) &&
    isLike(facts.version, rule.version)
  );
}

function isLike(text: string | null, pattern: string | null): boolean {
  return pattern === null || (text !== null && matchesPattern(text, pattern));
}

/** Gives the group of a crash, which was just counted, the tags of all rules that it meets. */
export async function tagByRules(
  tx: DbTransaction,
  groupId: number,
  report: CrashReport,
  { modelId, firmwareVersion }: Pick<Crash, 'modelId' | 'firmwareVersion'>,
  at: Date,
): Promise<void> {
  const rules = await tx.tagRule.findMany();
  if (rules.length === 0) return;
  const { kind, culpritFunction, culpritFile, reason } = describeCrash(report);
  const facts: CrashFacts = {
    ...{ modelId, kind, reason, version: firmwareVersion },
    ...{ function: culpritFunction, file: culpritFile, task: report.crashedTask },
  };
  const tagIds = rules.filter((rule) => meets(facts, rule)).map(({ tagId }) => tagId);
  await tagByRule(
    tx,
    groupId,
    [...new Set(tagIds)].sort((a, b) => a - b),
    at,
  );
}
