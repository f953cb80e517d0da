import type { CountCrash, FinishedParse } from '../coredumps/parse-state.js';
import type { CrashReport } from '../crashdump/index.js';
import { StaleRead } from '../platform/database/errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import {
  countVersionDevices,
  uncountDevice,
  uncountVariant,
  uncountVersionDevice,
  upsertDevice,
  upsertVariant,
} from './counters.js';
import { ALL, addToTallies } from './crash-series.js';
import { combineHeat, heatOf } from './decayed-rate.js';
import type { GroupEvents } from './events.js';
import { sendRulesTo } from './followers.js';
import { lockGroups, lockWithGroups, type SignatureRow } from './locks.js';
import { lockOrMakeSignature } from './make-signature.js';
import { heatOfGroup } from './recount.js';
import { regressionIn } from './regression.js';
import type { Crash, CrashGroupRow, GroupChange } from './types.js';

/**
 * Counts a dump whose parse has ended, inside the transaction that ends it, once however often it is read:
 * - the fleet's charts have every crash, also one that could not be read;
 * - a crash with a fingerprint belongs to its signature's group;
 * - a later reading that says otherwise (other symbols, newer reader) moves it, one that fails leaves it where it is.
 * The dump's row is locked by its change; the order of the other locks is in `locks.ts`.
 */
export async function countCrash(tx: DbTransaction, parse: FinishedParse): Promise<GroupChange | null> {
  const { coredump, modelId, report } = parse;
  const known = await tx.crashOccurrence.findUnique({ where: { coredumpId: coredump.id } });
  const { deviceId, chip, uploadedAt: at } = coredump;
  const now = { signatureId: null as number | null, modelId, firmwareVersion: await versionOf(tx, parse) };
  if (known === null) {
    const crash = { deviceId, chip, at, ...now };
    const added = await addIfKnown(tx, report, crash);
    await countForFleet(tx, [crash]);
    const signatureId = added?.signatureId ?? null;
    await tx.crashOccurrence.create({ data: { coredumpId: coredump.id, ...now, signatureId } });
    return added?.change ?? null;
  }
  // A reading that failed says nothing new.
  if (coredump.parseStatus !== 'PARSED') return null;
  const counted = known.signatureId === null ? null : await fingerprintOf(tx, known.signatureId);
  const isSameVersion = known.firmwareVersion === now.firmwareVersion;
  if ((report?.fingerprint ?? null) === counted && isSameVersion) return null;

  const before = { deviceId, chip, at, modelId: known.modelId, firmwareVersion: known.firmwareVersion };
  const after = { ...before, firmwareVersion: now.firmwareVersion };
  await lockWithGroups(
    tx,
    [counted, report?.fingerprint ?? null].filter((name) => name !== null),
  );
  // First the new one: a group that is left empty would go, and be new again.
  const added = await addIfKnown(tx, report, after);
  if (known.signatureId !== null)
    await subtract(tx, known.signatureId, before, added?.change.groupId ?? null);
  if (!isSameVersion) await moveInFleet(tx, before, after);
  await tx.crashOccurrence.update({
    where: { coredumpId: coredump.id },
    data: { signatureId: added?.signatureId ?? null, firmwareVersion: now.firmwareVersion },
  });
  // What was in a group already is no news of it.
  return added === null || counted === report?.fingerprint ? null : added.change;
}

/** The device reports what it runs now, which an update may have brought after the crash; the dump names its build. */
async function versionOf(tx: DbTransaction, { coredump, report }: FinishedParse): Promise<string> {
  if (report?.elfMatches !== true || coredump.firmwareId === null) return coredump.firmwareVersion;
  const build = await tx.firmware.findUnique({
    where: { id: coredump.firmwareId },
    select: { version: true },
  });
  return build?.version ?? coredump.firmwareVersion;
}

async function addIfKnown(tx: DbTransaction, report: CrashReport | null, crash: Crash) {
  const fingerprint = report?.fingerprint ?? null;
  return report === null || fingerprint === null ? null : add(tx, fingerprint, report, crash);
}

/** In the charts of all crashes and in the numbers of their versions, whatever else is known of them. */
export async function countForFleet(tx: DbTransaction, crashes: readonly Crash[]): Promise<void> {
  await addToTallies(
    tx,
    crashes.map((crash) => ({ ...crash, signatureId: ALL, by: 1 })),
  );
  await countVersionDevices(tx, crashes);
}

/** The same crash, of another version than was thought. */
async function moveInFleet(tx: DbTransaction, before: Crash, after: Crash): Promise<void> {
  await addToTallies(tx, [
    { ...before, signatureId: ALL, by: -1 },
    { ...after, signatureId: ALL, by: 1 },
  ]);
  await uncountVersionDevice(tx, before);
  await countVersionDevices(tx, [after]);
}

/** Counts, and after the commit tells the subscribers of groups. */
export function countAndAnnounce(
  events: Pick<GroupEvents, 'publish' | 'announce'>,
  alerts: { write: WriteAlerts; wake(): void },
): CountCrash {
  return async (tx, parse) => {
    const change = await countCrash(tx, parse);
    if (change === null) return () => {};
    await events.announce(tx, [change.groupId]);
    const { modelId, coredump } = parse;
    const firmwareVersion = await versionOf(tx, parse);
    const hasAlerts = await alerts.write(tx, change, { modelId, firmwareVersion, at: coredump.uploadedAt });
    return () => {
      events.publish(change);
      if (hasAlerts) alerts.wake();
    };
  };
}

/** Leaves in the same transaction what is to be told of a change. @returns whether that is something */
type WriteAlerts = (
  tx: DbTransaction,
  change: GroupChange,
  crash: Pick<Crash, 'modelId' | 'firmwareVersion' | 'at'>,
) => Promise<boolean>;

async function fingerprintOf(tx: DbTransaction, signatureId: number): Promise<string | null> {
  const row = await tx.crashSignature.findUnique({
    where: { id: signatureId },
    select: { fingerprint: true },
  });
  return row?.fingerprint ?? null;
}

/** One crash more for the signature and its group, both made when they are new. */
async function add(
  tx: DbTransaction,
  fingerprint: string,
  report: CrashReport,
  crash: Crash,
): Promise<{ signatureId: number; change: GroupChange }> {
  const { signature, isNew } = await lockOrMakeSignature(tx, fingerprint, report, crash.at);
  const group = await lockGroupOf(tx, signature);
  const isNewDevice = !(await isDeviceOfGroup(tx, group.id, crash.deviceId));
  const regression = isNew ? null : await regressionIn(tx, group, crash);

  await tx.crashSignature.updateMany({
    where: { id: signature.id },
    data: { count: { increment: 1 }, ...span(signature, crash.at) },
  });
  await tx.crashGroup.updateMany({
    where: { id: group.id },
    data: {
      count: { increment: 1 },
      ...(isNewDevice ? { deviceCount: { increment: 1 } } : {}),
      ...span(group, crash.at),
      heat: isNew ? heatOf(crash.at) : combineHeat(group.heat, heatOf(crash.at)),
      ...(regression ?? {}),
    },
  });
  await upsertDevice(tx, signature.id, crash);
  await upsertVariant(tx, signature.id, crash);
  await addToTallies(tx, [{ ...crash, signatureId: signature.id, by: 1 }]);
  const kind = isNew ? 'new' : regression === null ? 'crash' : 'regression';
  return { signatureId: signature.id, change: { groupId: group.id, kind } };
}

/**
 * One crash less. A group of which nothing is left was a misreading, and goes.
 * @param heirId the group that the crash belongs to now, if to any
 */
async function subtract(
  tx: DbTransaction,
  signatureId: number,
  crash: Crash,
  heirId: number | null,
): Promise<void> {
  const [signature] = await tx.crashSignature.updateManyAndReturn({
    where: { id: signatureId },
    data: { count: { decrement: 1 } },
  });
  if (signature === undefined) throw new StaleRead('the signature of a counted crash is gone');
  const group = await lockGroupOf(tx, signature);
  await uncountDevice(tx, signatureId, crash);
  await uncountVariant(tx, signatureId, crash);
  await addToTallies(tx, [{ ...crash, signatureId, by: -1 }]);
  const isOfNobody = !(await isDeviceOfGroup(tx, group.id, crash.deviceId));
  await tx.crashGroup.updateMany({
    where: { id: group.id },
    data: {
      count: { decrement: 1 },
      ...(isOfNobody ? { deviceCount: { decrement: 1 } } : {}),
      heat: await heatOfGroup(tx, group.id),
    },
  });
  if (signature.count === 0) await tx.crashSignature.deleteMany({ where: { id: signatureId } });
  if (group.count === 1) await deleteWhenEmpty(tx, group.id, heirId);
}

/** Who wanted to be told of it alone goes where its last crash went; where that is nowhere, there is nothing to tell. */
async function deleteWhenEmpty(tx: DbTransaction, groupId: number, heirId: number | null): Promise<void> {
  const { count } = await tx.crashGroup.deleteMany({
    where: { id: groupId, count: 0, signatures: { none: {} } },
  });
  if (count > 0) await sendRulesTo(tx, [groupId], heirId);
}

/** Its group cannot change under the signature's lock. */
async function lockGroupOf(tx: DbTransaction, { groupId }: SignatureRow): Promise<CrashGroupRow> {
  const group = (await lockGroups(tx, [groupId])).get(groupId);
  if (group === undefined) throw new Error('a crash signature belongs to a group that is not there');
  return group;
}

async function isDeviceOfGroup(tx: DbTransaction, groupId: number, deviceId: number): Promise<boolean> {
  const row = await tx.crashDevice.findFirst({
    where: { deviceId, signature: { groupId } },
    select: { deviceId: true },
  });
  return row !== null;
}

/** Dumps are read out of order. */
function span(seen: { firstSeenAt: Date; lastSeenAt: Date }, at: Date) {
  return {
    ...(at < seen.firstSeenAt ? { firstSeenAt: at } : {}),
    ...(at > seen.lastSeenAt ? { lastSeenAt: at } : {}),
  };
}
