import type { RulesOf } from '../coredumps/own-code.js';
import type { OwnCodeRule } from '../crashdump/index.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { mergeGroups } from './merge.js';
import { currentGroupId } from './merged-groups.js';
import { type Fate, fateOf, replace, sharedSignatures, storedCrashes } from './own-code-plan.js';
import { NeedsFate, placeDump } from './place-dump.js';
import { asStaleRead, WITH_REPORT } from './regroup-dump.js';
import type { Regrouping } from './regroup-job.js';
import type { RuleWork } from './rule-runs.js';
import type { GroupAlerts } from './types.js';

/** Dumps between two writes of the progress. */
const BATCH = 50;
/** Crashes that say what becomes of their signature. */
const SAMPLE = 200;

/**
 * Applies changed rules about own code to the stored dumps of a model. Nothing is parsed again. A group whose crashes
 * all have a new place goes on there; where the rules tell crashes apart, the others form a new group that is left as
 * people left the first; where a place has a group already, they join it. A group that only has crashes of deleted
 * dumps left follows them.
 */
export function createOwnCodeWork({ db, rulesOf, now, alerts }: OwnCodeWorkDeps): RuleWork {
  /** By rules and signature, for one run. */
  const fates = new Map<string, Fate>();
  return {
    prefix: OWN_CODE_RUN,
    keepsFinished: true,
    count: (tx, modelId) => tx.coredump.count({ where: { ...WITH_REPORT, device: { modelId } } }),

    async next(modelId, afterId) {
      if (afterId === 0) fates.clear();
      const rows = await db.coredump.findMany({
        where: { ...WITH_REPORT, device: { modelId }, id: { gt: afterId } },
        orderBy: { id: 'asc' },
        take: BATCH,
        select: { id: true },
      });
      return rows.map(({ id }) => id);
    },

    async apply(_, ids, stop) {
      for (const id of ids) {
        if (!stop.aborted) await place(id, stop);
      }
    },

    async finish(modelId, run) {
      for (const id of await leftovers(db, modelId, run)) {
        const hasAlerts = await inTransaction(db, async (tx) => {
          const intoId = await follow(tx, id, now());
          return intoId !== null && alerts.writeSpikes(tx, [intoId]);
        });
        if (hasAlerts) alerts.wake();
      }
      fates.clear();
    },
  };

  /** What becomes of a signature is found outside of the transaction, since that reads many reports. */
  async function place(id: number, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        return await inTransaction(db, (tx) =>
          placeDump(tx, id, { rulesOf, now: now(), fateOf: (...key) => fates.get(keyOf(...key)) }),
        );
      } catch (error) {
        if (!(error instanceof NeedsFate)) throw error;
        const { modelId, signatureId, rules } = error;
        const crashes = await storedCrashes(db, { modelId, signatureId, take: SAMPLE });
        const replaced = await replace(db, crashes, rules, () => !stop.aborted);
        const shared = await sharedSignatures(db, modelId, [signatureId]);
        fates.set(keyOf(rules, signatureId), fateOf(replaced, shared.has(signatureId)));
      }
    }
  }
}

export const OWN_CODE_RUN = 'own code of model ';

function keyOf(rules: readonly OwnCodeRule[], signatureId: number): string {
  return `${signatureId} ${JSON.stringify(rules)}`;
}

/** Groups of this model alone that have no stored dump left, since all moved to one other group in this run. */
async function leftovers(db: Db, modelId: number, { startedAt }: Regrouping): Promise<number[]> {
  const rows = await db.$queryRaw<Array<{ id: number }>>`
    SELECT g."id" FROM "CrashGroup" g WHERE g."movedToId" > 0 AND g."updatedAt" >= ${startedAt}
      AND NOT EXISTS (SELECT 1 FROM "CrashSignature" s JOIN "CrashOccurrence" o ON o."signatureId" = s."id"
        WHERE s."groupId" = g."id")
      AND NOT EXISTS (SELECT 1 FROM "CrashSignature" s JOIN "CrashVariant" v ON v."signatureId" = s."id"
        WHERE s."groupId" = g."id" AND v."modelId" <> ${modelId})
    ORDER BY g."id"`;
  return rows.map(({ id }) => id);
}

/** Merges a leftover into the group that its crashes moved to. What that one lacks of assignee and note it takes over. */
async function follow(tx: DbTransaction, id: number, at: Date): Promise<number | null> {
  const [left] = await tx.crashGroup.findMany({ where: { id } });
  if (left === undefined || left.movedToId === null || left.movedToId === 0) return null;
  const kept = await tx.crashOccurrence.count({ where: { signature: { groupId: id } } });
  const intoId = await currentGroupId(tx, left.movedToId);
  const into = await tx.crashGroup.findUnique({
    where: { id: intoId },
    select: { assignee: true, note: true },
  });
  if (kept > 0 || into === null || intoId === id) return null;
  await mergeGroups(tx, intoId, [id], at).catch(asStaleRead);
  await tx.crashGroup.updateMany({
    where: { id: intoId },
    data: { assignee: into.assignee ?? left.assignee, note: into.note ?? left.note },
  });
  return intoId;
}

interface OwnCodeWorkDeps {
  db: Db;
  rulesOf: RulesOf;
  now: () => Date;
  alerts: GroupAlerts;
}
