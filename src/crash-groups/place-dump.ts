import { outputWith, type RulesOf } from '../coredumps/own-code.js';
import { reportIn, storedReport } from '../coredumps/report-schema.js';
import { COREDUMP_ROW, toCoredumpRow } from '../coredumps/row.js';
import { applyOwnCode, type CrashReport, type OwnCodeRule } from '../crashdump/index.js';
import { StaleRead } from '../platform/database/errors.js';
import { storable } from '../platform/database/storable-text.js';
import type { DbTransaction } from '../platform/database/types.js';
import { describeCrash } from './describe-crash.js';
import { lockWithGroups, type SignatureRow } from './locks.js';
import { insertSignature } from './make-signature.js';
import { setByPeople } from './merged-groups.js';
import type { Fate } from './own-code-plan.js';
import { countCrash } from './record-crash.js';
import { WITH_REPORT } from './regroup-dump.js';
import { copyTags } from './tags.js';

/** What becomes of a signature must be known before one of its crashes gets a place that no crash had before. */
export class NeedsFate extends Error {
  override readonly name = 'NeedsFate';

  constructor(
    readonly modelId: number,
    readonly signatureId: number,
    readonly rules: readonly OwnCodeRule[],
  ) {
    super('what becomes of a signature is not known');
  }
}

interface Placing {
  rulesOf: RulesOf;
  now: Date;
  fateOf(rules: readonly OwnCodeRule[], signatureId: number): Fate | undefined;
}

/**
 * Applies the present rules about own code to one stored dump, and counts it by the fingerprint that it has then. Rows
 * are locked in the order of `locks.ts`.
 *
 * @throws NeedsFate
 */
export async function placeDump(
  tx: DbTransaction,
  id: number,
  { rulesOf, now, fateOf }: Placing,
): Promise<void> {
  const [locked] = await tx.coredump.updateManyAndReturn({
    where: { ...WITH_REPORT, id },
    data: { parseAttempts: { increment: 0 } },
    select: { ...COREDUMP_ROW, device: { select: { modelId: true } } },
  });
  // The dump was deleted or queued again meanwhile: its parse applies the rules.
  if (locked === undefined) return;
  const { device, ...columns } = locked;
  const { modelId } = device;
  const text = await tx.coredumpText.findUnique({ where: { coredumpId: id } });
  const before = reportIn(text);
  if (text === null || before === null) return;
  const rules = await rulesOf(tx, modelId);
  const after = applyOwnCode(before, rules);
  const report = storedReport(after);
  if (report === storedReport(before)) return;
  const output = storable(outputWith(text.output, before, after));
  await tx.coredumpText.updateMany({ where: { coredumpId: id }, data: { report, output } });
  if (after.fingerprint === before.fingerprint) return;

  await tx.coredump.updateMany({ where: { id }, data: { fingerprint: after.fingerprint, updatedAt: now } });
  const coredump = { ...toCoredumpRow(columns), fingerprint: after.fingerprint, updatedAt: now };
  const counted = await tx.crashOccurrence.findUnique({
    where: { coredumpId: id },
    select: { signature: true },
  });
  const signature = counted?.signature ?? null;
  // A dump whose build is missing now may be counted by an earlier reading, which had the build.
  const isByThis = signature === null || signature.fingerprint === before.fingerprint;
  if (coredump.parseStatus !== 'PARSED' && !isByThis) return;
  if (signature !== null) await makePlace(tx, signature, after, { now, at: coredump.uploadedAt, fate });
  await countCrash(tx, { coredump, modelId, report: after }, now, true);

  function fate(): Fate {
    const known = signature === null ? undefined : fateOf(rules, signature.id);
    if (known === undefined) throw new NeedsFate(modelId, signature?.id ?? 0, rules);
    return known;
  }
}

/** Makes the signature of a place that no crash had before, in the group that its crashes belong to. */
async function makePlace(
  tx: DbTransaction,
  from: SignatureRow,
  report: CrashReport,
  { now, at, fate }: { now: Date; at: Date; fate: () => Fate },
): Promise<void> {
  const name = report.fingerprint;
  if ((await tx.crashSignature.findUnique({ where: { fingerprint: name } })) !== null) return;
  const { stays, successor } = fate();
  // A signature joins a group only under the group's lock; earlier reads may be outdated.
  await lockWithGroups(tx, [from.fingerprint]);
  const locked = await tx.crashSignature.findUnique({ where: { id: from.id }, include: { group: true } });
  if (locked === null) throw new StaleRead('the signature of a counted crash was deleted');
  const { group } = locked;
  if (!stays && successor === name) {
    const { firstSeenAt, lastSeenAt, fromGroupId } = locked;
    await insertSignature(tx, name, group.id, report, { firstSeenAt, lastSeenAt, fromGroupId });
    if (group.title === locked.title)
      await tx.crashGroup.updateMany({
        where: { id: group.id },
        data: { ...describeCrash(report), updatedAt: now },
      });
    return;
  }
  const seen = { firstSeenAt: at, lastSeenAt: at };
  const made = await tx.crashGroup.create({
    data: { ...describeCrash(report), ...seen, ...setByPeople(group), heat: 0, updatedAt: now },
    select: { id: true },
  });
  const isMade = await insertSignature(tx, name, made.id, report, seen);
  if (isMade) await copyTags(tx, group.id, made.id);
  else await tx.crashGroup.delete({ where: { id: made.id }, select: { id: true } });
}
