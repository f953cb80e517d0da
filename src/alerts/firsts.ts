import { BUT_NO_CRASHES } from '../coredumps/no-crash.js';
import type { DbTransaction } from '../platform/database/types.js';
import { HOUR_MS } from '../platform/durations.js';
import { takeTold, toldKeys } from './told.js';
import type { AlertRuleRow } from './types.js';

/** Alerts of a crash that are not about its group. */

/** The crash, as far as this file reads it. */
interface Crash {
  coredumpId: number;
  deviceId: number;
  modelId: number;
  firmwareVersion: string;
  at: Date;
  change: unknown;
}

/** @returns rules to be told that this is the first crash of its version, whatever its group */
export async function takeNewVersions(
  tx: DbTransaction,
  crash: Crash,
  rules: readonly AlertRuleRow[],
): Promise<AlertRuleRow[]> {
  const interested = rules.filter(({ onNewInVersion }) => onNewInVersion);
  if (interested.length === 0) return [];
  const { modelId, firmwareVersion } = crash;
  const { _sum } = await tx.versionDevice.aggregate({
    where: { modelId, firmwareVersion },
    _sum: { count: true },
  });
  if (_sum.count !== 1 || !(await isCounted(tx, crash))) return [];
  const key = toldKeys.newInVersion(modelId, firmwareVersion);
  return takeFor(tx, interested, key, crash.at);
}

/**
 * A device is in a loop while an hour has as many crashes as the rule says; it ends when an hour has none. All dumps
 * count, also those that wait to be read. As many as are kept of a device are enough: more are never seen.
 *
 * @returns rules to be told of the loop, and the crashes of the last hour
 */
export async function takeCrashLoops(
  tx: DbTransaction,
  crash: Crash,
  rules: readonly AlertRuleRow[],
  maxCoredumps: number,
): Promise<{ rules: AlertRuleRow[]; crashes: number }> {
  const interested = rules.filter(({ loopCrashes }) => loopCrashes !== null);
  if (interested.length === 0 || !(await isCounted(tx, crash))) return { rules: [], crashes: 0 };
  const { deviceId, at } = crash;
  const key = toldKeys.crashLoop(deviceId);
  const hourAgo = new Date(at.getTime() - HOUR_MS);
  // The loops that have been told of go on. In the order of the keys, as everywhere.
  for (const ruleId of interested.map(({ id }) => id).sort((a, b) => a - b)) {
    await tx.alertTold.updateMany({ where: { ruleId, key, at: { gte: hourAgo, lt: at } }, data: { at } });
  }
  const crashes = await tx.coredump.count({
    where: { deviceId, uploadedAt: { gt: hourAgo }, ...BUT_NO_CRASHES },
  });
  const reached = interested.filter(
    ({ loopCrashes }) => loopCrashes !== null && crashes >= Math.min(loopCrashes, maxCoredumps),
  );
  return { rules: await takeFor(tx, reached, key, at, hourAgo), crashes };
}

async function takeFor(
  tx: DbTransaction,
  rules: readonly AlertRuleRow[],
  key: string,
  at: Date,
  overBefore?: Date,
): Promise<AlertRuleRow[]> {
  const told = rules.map(({ id }) => ({ ruleId: id, key }));
  const taken = new Set((await takeTold(tx, told, at, overBefore)).map(({ ruleId }) => ruleId));
  return rules.filter(({ id }) => taken.has(id));
}

/** Crashes of devices that are not approved do not count. */
async function isCounted(tx: DbTransaction, { coredumpId, change }: Crash): Promise<boolean> {
  if (change !== null) return true;
  const counted = await tx.crashOccurrence.findUnique({
    where: { coredumpId },
    select: { coredumpId: true },
  });
  return counted !== null;
}
