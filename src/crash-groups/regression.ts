import type { DbTransaction } from '../platform/database/types.js';
import type { Crash, CrashGroupRow, GroupState } from './types.js';
import { orderOfVersions } from './versions.js';

interface Regression {
  state: GroupState;
  regressedAt: Date;
  regressedInVersion: string;
}

/**
 * Whether a crash makes a resolved group a regression: it came after the group was resolved, in the fixed version or a
 * later one. Where versions have no order (dates, branches), or no fixed version was named, a version counts as later
 * if the group had not been seen in it when it was resolved. So crashes of old firmware change nothing.
 */
export async function regressionIn(
  tx: DbTransaction,
  group: CrashGroupRow,
  { firmwareVersion, at }: Crash,
): Promise<Regression | null> {
  if (group.state !== 'RESOLVED' || group.resolvedAt === null || at <= group.resolvedAt) return null;
  const order =
    group.resolvedInVersion === null ? null : orderOfVersions(firmwareVersion, group.resolvedInVersion);
  const isLater =
    order === null
      ? firmwareVersion === group.resolvedInVersion ||
        !(await wasSeenIn(tx, group.id, firmwareVersion, group.resolvedAt))
      : order >= 0;
  return isLater ? { state: 'OPEN', regressedAt: at, regressedInVersion: firmwareVersion } : null;
}

async function wasSeenIn(
  tx: DbTransaction,
  groupId: number,
  firmwareVersion: string,
  resolvedAt: Date,
): Promise<boolean> {
  const variant = await tx.crashVariant.findFirst({
    where: { firmwareVersion, signature: { groupId }, firstSeenAt: { lte: resolvedAt } },
    select: { signatureId: true },
  });
  return variant !== null;
}
