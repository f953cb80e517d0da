import type { OwnCodeRule } from '../crashdump/index.js';
import type { Db } from '../platform/database/types.js';
import {
  type PlannedChange,
  planChanges,
  replace,
  sharedSignatures,
  storedCrashes,
} from './own-code-plan.js';

/** What rules about own code would change, by a model's newest crashes. */
export interface OwnCodePreview {
  /** Crashes that were looked at, and whether these are all that are stored. */
  lookedAtCount: number;
  isComplete: boolean;
  /** Crashes that get another place. */
  changedCount: number;
  changes: PlannedChange[];
}

const MAX_CRASHES = 2_000;
/** Fingerprints of one statement. */
const CHUNK = 500;
/** A preview that takes longer ends with what it has. */
const MAX_MS = 4_000;

/** Others are served between two crashes. */
export async function previewOwnCode(
  db: Db,
  modelId: number,
  rules: readonly OwnCodeRule[],
): Promise<OwnCodePreview> {
  const stored = await storedCrashes(db, { modelId, take: MAX_CRASHES + 1 });
  const wanted = stored.slice(0, MAX_CRASHES);
  const endsAt = performance.now() + MAX_MS;
  const replaced = await replace(db, wanted, rules, () => performance.now() < endsAt);
  const moving = replaced.filter(({ from, to }) => from !== to);
  const shared = await sharedSignatures(db, modelId, [
    ...new Set(moving.map(({ signatureId }) => signatureId)),
  ]);
  const groupOf = await groupsOf(db, [...new Set(moving.map(({ to }) => to))]);
  return {
    lookedAtCount: replaced.length,
    isComplete: replaced.length === stored.length,
    changedCount: moving.length,
    changes: planChanges(replaced, groupOf, shared),
  };
}

async function groupsOf(db: Db, fingerprints: readonly string[]): Promise<Map<string, number>> {
  const groups = new Map<string, number>();
  for (let from = 0; from < fingerprints.length; from += CHUNK) {
    const rows = await db.crashSignature.findMany({
      where: { fingerprint: { in: fingerprints.slice(from, from + CHUNK) } },
      select: { fingerprint: true, groupId: true },
    });
    for (const { fingerprint, groupId } of rows) groups.set(fingerprint, groupId);
  }
  return groups;
}
