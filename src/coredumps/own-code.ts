import { applyOwnCode, type CrashReport, type OwnCodeRule } from '../crashdump/index.js';
import type { Database, DbTransaction } from '../platform/database/types.js';
import type { CoredumpText } from './types.js';

/** Reads a model's rules about own code in the transaction that stores what follows from them. */
export type RulesOf = (tx: DbTransaction, modelId: number) => Promise<OwnCodeRule[]>;

/**
 * Where servers share a database, whoever changes the rules waits until the transaction has ended: its dump is then
 * found by the regrouping that the change begins. SQLite has one writer at a time.
 */
export function createRulesOf({ isShared }: Pick<Database, 'isShared'>): RulesOf {
  return async (tx, modelId) => {
    // The change of rules updates this row first. A statement of its own, so that the next one sees the new rules.
    if (isShared) await tx.$queryRaw`SELECT "id" FROM "DeviceModel" WHERE "id" = ${modelId} FOR SHARE`;
    return ownCodeRulesOf(tx, modelId);
  };
}

/** The rules of a model in their order. */
export async function ownCodeRulesOf(
  db: Pick<DbTransaction, 'ownCodeRule'>,
  modelId: number,
): Promise<OwnCodeRule[]> {
  const rows = await db.ownCodeRule.findMany({ where: { modelId }, orderBy: { position: 'asc' } });
  return rows.map(toRule);
}

/** SQLite has no enums. */
export function toRule({
  kind,
  pattern,
  isOwn,
}: {
  kind: string;
  pattern: string;
  isOwn: boolean;
}): OwnCodeRule {
  return { kind: kind === 'PATH' ? 'PATH' : 'FUNCTION', pattern, isOwn };
}

/** Text and report of a reading as they are with the rules. */
export function withOwnCode(text: CoredumpText, rules: readonly OwnCodeRule[]): CoredumpText {
  if (text.report === null) return text;
  const report = applyOwnCode(text.report, rules);
  return { output: outputWith(text.output, text.report, report), report };
}

/** The text has the explanation in a line of its own. */
export function outputWith(
  output: string,
  { explanation: before }: Pick<CrashReport, 'explanation'>,
  { explanation: after }: Pick<CrashReport, 'explanation'>,
): string {
  if (before === after || before === null || after === null) return output;
  return output.replace(`Explanation: ${before}\n`, () => `Explanation: ${after}\n`);
}
