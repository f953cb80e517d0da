import { ownCodeRulesOf } from '../coredumps/own-code.js';
import { reportIn, storedReport } from '../coredumps/report-schema.js';
import { COREDUMP_ROW, toCoredumpRow } from '../coredumps/row.js';
import { crashOf } from '../coredumps/store-reading.js';
import { applyOwnCode, type CrashReport, FINGERPRINT_VERSION, fingerprint } from '../crashdump/index.js';
import { DomainError } from '../errors.js';
import type { Prisma } from '../platform/database/client.js';
import { StaleRead } from '../platform/database/errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import { BY_THE_SERVER } from './activity.js';
import { lockGroups } from './locks.js';
import { insertSignature } from './make-signature.js';
import { mergeGroups } from './merge.js';
import { countCrash } from './record-crash.js';

/** Computes a fingerprint from a report; `version` is the prefix of its fingerprints, before the colon. */
export interface FingerprintRecipe {
  version: string;
  of(report: CrashReport): string;
}

export const CURRENT_RECIPE: FingerprintRecipe = {
  version: FINGERPRINT_VERSION,
  of: fingerprint,
};

/**
 * Computes the fingerprint of one dump from its stored report by the recipe, and counts the dump by it. Rows are locked
 * in the order of `locks.ts`.
 *
 * @returns the group that others were merged into, if any
 */
export async function regroupDump(
  tx: DbTransaction,
  id: number,
  recipe: FingerprintRecipe,
  now: Date,
): Promise<number | null> {
  const text = await tx.coredumpText.findUnique({ where: { coredumpId: id } });
  const report = reportIn(text);
  if (report === null) return null;
  // The reader had more data than the report contains, so a fingerprint that it computed by this recipe is kept.
  const isCurrent = report.fingerprint.startsWith(`${recipe.version}:`);
  const renamed = isCurrent ? report : await renamedReport(tx, report, recipe, id);
  const [row] = await tx.coredump.updateManyAndReturn({
    where: { ...WITH_REPORT, id },
    data: { fingerprint: renamed.fingerprint, ...crashOf(renamed) },
    select: { ...COREDUMP_ROW, device: { select: { modelId: true } } },
  });
  // The dump was deleted or queued again meanwhile.
  if (row === undefined) return null;
  if (renamed.fingerprint !== report.fingerprint) {
    const { count } = await tx.coredumpText.updateMany({
      where: { coredumpId: id, report: text?.report ?? null },
      data: { report: storedReport(renamed) },
    });
    if (count === 0) throw new StaleRead('the dump was read again meanwhile');
  }
  const counted = await tx.crashOccurrence.findUnique({ where: { coredumpId: id }, select: COUNTED });
  const { device, ...columns } = row;
  const coredump = toCoredumpRow(columns);
  // A dump whose build is missing now may be counted by an earlier reading, which had the build.
  if (
    coredump.parseStatus !== 'PARSED' &&
    counted?.signature != null &&
    counted.signature.fingerprint !== report.fingerprint
  )
    return null;
  const mergedInto = await renameInGroup(tx, counted?.signature ?? null, renamed, { recipe, now });
  await countCrash(tx, { coredump, modelId: device.modelId, report: renamed }, now, true);
  return mergedInto;
}

/** The new fingerprint of what was read; rules about own code are applied again, since they may give it another one. */
async function renamedReport(
  tx: DbTransaction,
  report: CrashReport,
  recipe: FingerprintRecipe,
  id: number,
): Promise<CrashReport> {
  const dump = await tx.coredump.findUnique({
    where: { id },
    select: { device: { select: { modelId: true } } },
  });
  const rules = dump === null ? [] : await ownCodeRulesOf(tx, dump.device.modelId);
  const read = applyOwnCode(report, []);
  return applyOwnCode({ ...read, fingerprint: recipe.of(read) }, rules);
}

/** Dumps that wait for their build have a report of what the dump alone tells. */
export const WITH_REPORT = {
  OR: [{ parseStatus: 'PARSED' }, { parseStatus: 'ERROR', crashKind: { not: null } }],
} satisfies Prisma.CoredumpWhereInput;

const COUNTED = {
  signature: {
    select: {
      id: true,
      groupId: true,
      fingerprint: true,
      fromGroupId: true,
      firstSeenAt: true,
      lastSeenAt: true,
    },
  },
} satisfies Prisma.CrashOccurrenceSelect;

type Counted = Prisma.CrashOccurrenceGetPayload<{ select: typeof COUNTED }>['signature'];

/**
 * Makes the new fingerprint the successor of the dump's old one in its group, if the group has none of this recipe yet.
 * @returns the group that others were merged into, if any
 */
async function renameInGroup(
  tx: DbTransaction,
  counted: Counted,
  report: CrashReport,
  { recipe, now }: { recipe: FingerprintRecipe; now: Date },
): Promise<number | null> {
  if (counted === null) return null;
  const name = report.fingerprint;
  const { id: signatureId, groupId, fingerprint: _, ...inherited } = counted;
  if (await hasSuccessor(tx, groupId, recipe)) return null;
  const existing = await tx.crashSignature.findUnique({ where: { fingerprint: name } });
  if (existing === null) {
    // A signature joins a group only under the group's lock; earlier reads may be outdated.
    await lockGroups(tx, [groupId]);
    await requireMembers(tx, groupId, [signatureId]);
    const isMade = await insertSignature(tx, name, groupId, report, inherited);
    if (!isMade || (await hasSuccessor(tx, groupId, recipe, name)))
      throw new StaleRead('the group has got a successor meanwhile');
    return null;
  }
  const into = Math.min(groupId, existing.groupId);
  await mergeGroups(tx, into, [Math.max(groupId, existing.groupId)], now, BY_THE_SERVER).catch(asStaleRead);
  await requireMembers(tx, into, [signatureId, existing.id]);
  return into;
}

/** Requires the group's lock. */
async function requireMembers(tx: DbTransaction, groupId: number, ids: readonly number[]): Promise<void> {
  const count = await tx.crashSignature.count({ where: { groupId, id: { in: [...ids] } } });
  if (count < ids.length) throw new StaleRead('a signature has left its group meanwhile');
}

/** Whether the group has a fingerprint of this recipe other than `but`. */
async function hasSuccessor(tx: DbTransaction, groupId: number, { version }: FingerprintRecipe, but = '') {
  const where = { groupId, fingerprint: { startsWith: `${version}:`, not: but } };
  return (await tx.crashSignature.findFirst({ where, select: { id: true } })) !== null;
}

/** Regrouping caused this merge, so no person receives its error: the dump is tried again. */
export function asStaleRead(error: unknown): never {
  const isGone = error instanceof DomainError && (error.code === 'CONFLICT' || error.code === 'NOT_FOUND');
  throw isGone ? new StaleRead('a group was merged meanwhile', { cause: error }) : error;
}
