import type { CrashReport } from '../crashdump/index.js';
import { StaleRead } from '../platform/database/errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import { describeCrash } from './describe-crash.js';
import { lockSignature, type SignatureRow } from './locks.js';

/** The locked signature of a fingerprint. When there is none, makes one in a new group. */
export async function lockOrCreateSignature(
  tx: DbTransaction,
  fingerprint: string,
  report: CrashReport,
  at: Date,
  now: Date,
): Promise<{ signature: SignatureRow; isNew: boolean }> {
  const known = await lockSignature(tx, fingerprint);
  if (known !== undefined) return { signature: known, isNew: false };
  const description = describeCrash(report);
  const seen = { firstSeenAt: at, lastSeenAt: at };
  const group = await tx.crashGroup.create({
    data: { ...description, ...seen, state: 'OPEN', heat: 0, updatedAt: now },
    select: { id: true },
  });
  const isNew = await insertSignature(tx, fingerprint, group.id, report, seen);
  const made = await lockSignature(tx, fingerprint);
  // Another transaction inserted it after our first read, and it was deleted before our second read.
  if (made === undefined) throw new StaleRead('a crash signature was made and deleted meanwhile');
  // The other transaction has committed: our insert waited for it.
  if (!isNew) await tx.crashGroup.delete({ where: { id: group.id }, select: { id: true } });
  return { signature: made, isNew };
}

/** @returns false when another transaction has inserted it meanwhile */
export async function insertSignature(
  tx: DbTransaction,
  fingerprint: string,
  groupId: number,
  report: CrashReport,
  {
    firstSeenAt,
    lastSeenAt,
    fromGroupId = null,
  }: { firstSeenAt: Date; lastSeenAt: Date; fromGroupId?: number | null },
): Promise<boolean> {
  const { title, kind, reasonClass, reason, culpritFunction, culpritFile } = describeCrash(report);
  const inserted = await tx.$executeRaw`
    INSERT INTO "CrashSignature" ("fingerprint", "groupId", "title", "kind", "reasonClass", "reason",
      "culpritFunction", "culpritFile", "firstSeenAt", "lastSeenAt", "fromGroupId")
    VALUES (${fingerprint}, ${groupId}, ${title}, ${kind}, ${reasonClass}, ${reason},
      ${culpritFunction}, ${culpritFile}, ${firstSeenAt}, ${lastSeenAt}, ${fromGroupId})
    ON CONFLICT ("fingerprint") DO NOTHING`;
  return inserted === 1;
}
