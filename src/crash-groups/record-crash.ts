import { crashVersionOf, keepCrashVersion } from '../coredumps/crash-version.js';
import type { CountCrash, FinishedParse } from '../coredumps/parse-state.js';
import type { CoredumpRow } from '../coredumps/types.js';
import type { CrashReport } from '../crashdump/index.js';
import { countCrashesOfDays, uncountCrashOfDay } from '../devices/device-days.js';
import { StaleRead } from '../platform/database/errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import { BY_THE_SERVER, noteActivity, noteRegression } from './activity.js';
import {
  decrementDevice,
  decrementVariant,
  decrementVersionDevice,
  incrementDevice,
  incrementVariant,
  incrementVersionDevices,
} from './counters.js';
import { addCrashDays } from './crash-days.js';
import { ALL, addToSeries } from './crash-series.js';
import { combineRates, decayedRateOf } from './decayed-rate.js';
import type { GroupEvents } from './events.js';
import { moveRules } from './followers.js';
import { endOfIgnore, isBeforeIgnore, NOT_IGNORED } from './ignore-until.js';
import { lockGroups, lockWithGroups, type SignatureRow } from './locks.js';
import { lockOrCreateSignature } from './make-signature.js';
import { currentGroupId, forgetMerged, keepMerged } from './merged-groups.js';
import { decayedRateOfGroup } from './recount.js';
import { regressionIn } from './regression.js';
import { tagByRules } from './tag-rules.js';
import type { Crash, CrashGroupRow, GroupChange } from './types.js';

/**
 * Counts a dump whose parse has ended, in the transaction that ends the parse. A dump counts once, however often it is
 * parsed:
 * - the fleet's series count every crash, also one that could not be read;
 * - a crash with a report is counted in the group of its signature, also one that waits for its build;
 * - a later parse with another result (other symbols, newer reader) moves it; a failed one changes nothing, except that
 *   its report gives a group to a crash without one.
 * - a crash of a device that is not approved is not counted; `count-kept.ts` does it when the device is approved.
 * The dump's row gets the version that is counted. Its change locks it; `locks.ts` has the order of the other locks.
 *
 * @param mayMove whether the crash may leave the group that it is counted in
 */
export async function countCrash(
  tx: DbTransaction,
  parse: FinishedParse,
  now: Date,
  mayMove = parse.coredump.parseStatus === 'PARSED',
): Promise<GroupChange | null> {
  const { coredump, modelId, report } = parse;
  const { known, isApproved } = await countedBefore(tx, coredump);
  const { deviceId, chip, uploadedAt: at } = coredump;
  const elfMatches = report?.elfMatches === true;
  const firmwareVersion = await crashVersionOf(tx, coredump, { modelId, elfMatches });
  const seen = { signatureId: null as number | null, modelId, firmwareVersion };
  const mayChange = known === null || mayMove || (report !== null && known.signatureId === null);
  await keepCrashVersion(tx, coredump, mayChange ? firmwareVersion : known.firmwareVersion);
  if (known === null) {
    if (!isApproved) return null;
    const crash = { deviceId, chip, at, ...seen };
    const added = await addIfKnown(tx, report, crash, { now, fromId: null });
    await countForFleet(tx, [crash]);
    const signatureId = added?.signatureId ?? null;
    await tx.crashOccurrence.create({ data: { coredumpId: coredump.id, ...seen, signatureId } });
    return added?.change ?? null;
  }
  if (!mayChange) return null;
  const counted = known.signatureId === null ? null : await fingerprintOf(tx, known.signatureId);
  const isSameVersion = known.firmwareVersion === seen.firmwareVersion;
  if ((report?.fingerprint ?? null) === counted && isSameVersion) return null;

  const before = { deviceId, chip, at, modelId: known.modelId, firmwareVersion: known.firmwareVersion };
  const after = { ...before, firmwareVersion: seen.firmwareVersion };
  await lockWithGroups(
    tx,
    [counted, report?.fingerprint ?? null].filter((name) => name !== null),
  );
  // Added before it is removed: otherwise a group with only this crash would be deleted and made again as a new one.
  const added = await addIfKnown(tx, report, after, { now, fromId: known.signatureId });
  if (known.signatureId !== null)
    await subtract(tx, known.signatureId, before, { successorId: added?.change.groupId ?? null, now });
  if (!isSameVersion) await moveInFleet(tx, before, after);
  await tx.crashOccurrence.update({
    where: { coredumpId: coredump.id },
    data: { signatureId: added?.signatureId ?? null, firmwareVersion: seen.firmwareVersion },
  });
  if (added === null) return null;
  // A crash that stays in its group is no news, unless its version is.
  return counted === report?.fingerprint && added.change.kind === 'crash' ? null : added.change;
}

/** What was counted for the dump, and whether its device's crashes count, in one statement: it runs with every parse. */
async function countedBefore(tx: DbTransaction, { id, deviceId }: Pick<CoredumpRow, 'id' | 'deviceId'>) {
  const [row] = await tx.$queryRaw<CountedBefore[]>`
    SELECT d."approval", o."coredumpId", o."signatureId", o."modelId", o."firmwareVersion"
    FROM "Device" d LEFT JOIN "CrashOccurrence" o ON o."coredumpId" = ${id} WHERE d."id" = ${deviceId}`;
  const known = row === undefined || row.coredumpId === null ? null : row;
  return { known, isApproved: row?.approval === 'APPROVED' };
}

/** All but the approval are null where nothing was counted. */
interface CountedBefore {
  approval: string;
  coredumpId: number | null;
  signatureId: number | null;
  modelId: number;
  firmwareVersion: string;
}

async function addIfKnown(tx: DbTransaction, report: CrashReport | null, crash: Crash, adding: Adding) {
  const fingerprint = report?.fingerprint ?? null;
  return report === null || fingerprint === null ? null : add(tx, fingerprint, report, crash, adding);
}

interface Adding {
  now: Date;
  /** The signature that the crash was counted in before; null: it is counted for the first time. */
  fromId: number | null;
}

/** Counts in the fleet's series, its days and the counters of versions, with or without a fingerprint. */
export async function countForFleet(tx: DbTransaction, crashes: readonly Crash[]): Promise<void> {
  await addToSeries(
    tx,
    crashes.map((crash) => ({ ...crash, signatureId: ALL, by: 1 })),
  );
  await incrementVersionDevices(tx, crashes);
  await addCrashDays(tx, crashes);
  await countCrashesOfDays(tx, crashes);
}

/** Counts the crash for another version. */
export async function moveInFleet(tx: DbTransaction, before: Crash, after: Crash): Promise<void> {
  await addToSeries(tx, [
    { ...before, signatureId: ALL, by: -1 },
    { ...after, signatureId: ALL, by: 1 },
  ]);
  await decrementVersionDevice(tx, before);
  await incrementVersionDevices(tx, [after]);
  await uncountCrashOfDay(tx, before);
  await countCrashesOfDays(tx, [after]);
}

/** Counts, and tells of it. */
export function countAndAnnounce(tell: TellOfCrash, now: () => Date): CountCrash {
  return async (tx, parse) => tell(tx, parse, await countCrash(tx, parse, now()));
}

/**
 * Announces what a crash did to its group and writes the alerts, in the transaction that counts it.
 * @returns publishes it and wakes the sender of alerts: call it after the commit
 */
export type TellOfCrash = (
  tx: DbTransaction,
  crash: Pick<FinishedParse, 'coredump' | 'modelId' | 'report'>,
  change: GroupChange | null,
) => Promise<() => void>;

export function createTellOfCrash(
  events: Pick<GroupEvents, 'publish' | 'announce'>,
  alerts: { write: WriteAlerts; wake(): void },
): TellOfCrash {
  return async (tx, { modelId, coredump, report }, change) => {
    if (change !== null) await events.announce(tx, [change.groupId]);
    const { id: coredumpId, deviceId, crashVersion: firmwareVersion, uploadedAt: at } = coredump;
    const crash = { coredumpId, deviceId, modelId, firmwareVersion, at, report, change };
    const hasAlerts = await alerts.write(tx, crash);
    return () => {
      if (change !== null) events.publish(change);
      if (hasAlerts) alerts.wake();
    };
  };
}

/** Writes the alerts for a crash, in the same transaction. @returns whether there are any */
type WriteAlerts = (tx: DbTransaction, crash: ReadCrash) => Promise<boolean>;

/** A dump whose parse has ended. */
interface ReadCrash extends Pick<Crash, 'deviceId' | 'modelId' | 'firmwareVersion' | 'at'> {
  coredumpId: number;
  report: CrashReport | null;
  /** What it did to its group; null without a group, and when it had been counted before. */
  change: GroupChange | null;
}

async function fingerprintOf(tx: DbTransaction, signatureId: number): Promise<string | null> {
  const row = await tx.crashSignature.findUnique({
    where: { id: signatureId },
    select: { fingerprint: true },
  });
  return row?.fingerprint ?? null;
}

/** Adds a crash to the signature of the fingerprint and to its group, and makes both when they do not exist. */
async function add(
  tx: DbTransaction,
  fingerprint: string,
  report: CrashReport,
  crash: Crash,
  { now, fromId }: Adding,
): Promise<{ signatureId: number; change: GroupChange }> {
  const { signature, isNew } = await lockOrCreateSignature(tx, fingerprint, report, crash.at, now);
  const group = await lockGroupOf(tx, signature);
  const isNewDevice = !(await isDeviceOfGroup(tx, group.id, crash.deviceId));
  const regression = isNew ? null : await regressionIn(tx, group, crash);
  const ended = (await isInGroup(tx, fromId, group)) ? null : endOfIgnore(group, crash, now);

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
      heat: isNew ? decayedRateOf(crash.at) : combineRates(group.heat, decayedRateOf(crash.at)),
      ...(regression ?? {}),
      ...(ended === null ? keptRemaining(group, crash, 1) : { state: 'OPEN', ...NOT_IGNORED }),
      updatedAt: now,
    },
  });
  if (regression !== null) await noteRegression(tx, group.id, regression.regressedInVersion, now);
  if (ended !== null)
    await noteActivity(tx, group.id, { kind: 'IGNORE_ENDED', text: ended, at: now, ...BY_THE_SERVER });
  await incrementDevice(tx, signature.id, crash);
  await incrementVariant(tx, signature.id, crash);
  await addToSeries(tx, [{ ...crash, signatureId: signature.id, by: 1 }]);
  await tagByRules(tx, group.id, report, crash, now);
  const known = regression !== null ? 'regression' : ended !== null ? 'reopened' : 'crash';
  return { signatureId: signature.id, change: { groupId: group.id, kind: isNew ? 'new' : known } };
}

/** A crash that only gets another fingerprint of its group is no further crash of it. */
async function isInGroup(
  tx: DbTransaction,
  signatureId: number | null,
  { id, state }: CrashGroupRow,
): Promise<boolean> {
  if (signatureId === null || state !== 'IGNORED') return false;
  const where = { id: signatureId, groupId: id };
  return (await tx.crashSignature.findFirst({ where, select: { id: true } })) !== null;
}

/** A crash from before the group was ignored changes its count, and not how many crashes are left. */
function keptRemaining(group: CrashGroupRow, crash: Crash, by: number) {
  return group.ignoredUntilCount !== null && isBeforeIgnore(group, crash)
    ? { ignoredUntilCount: { increment: by } }
    : {};
}

/**
 * Removes a crash from its signature and group. A group without crashes is deleted: it came from a wrong reading.
 * @param successorId the crash's new group, if any
 */
async function subtract(
  tx: DbTransaction,
  signatureId: number,
  crash: Crash,
  { successorId, now }: { successorId: number | null; now: Date },
): Promise<void> {
  const [signature] = await tx.crashSignature.updateManyAndReturn({
    where: { id: signatureId },
    data: { count: { decrement: 1 } },
  });
  if (signature === undefined) throw new StaleRead('the signature of a counted crash was deleted');
  const group = await lockGroupOf(tx, signature);
  await decrementDevice(tx, signatureId, crash);
  await decrementVariant(tx, signatureId, crash);
  await addToSeries(tx, [{ ...crash, signatureId, by: -1 }]);
  const isLastOfDevice = !(await isDeviceOfGroup(tx, group.id, crash.deviceId));
  const movedToId = await whereCrashesMoved(tx, group, successorId);
  await tx.crashGroup.updateMany({
    where: { id: group.id },
    data: {
      count: { decrement: 1 },
      ...(isLastOfDevice ? { deviceCount: { decrement: 1 } } : {}),
      ...keptRemaining(group, crash, -1),
      heat: await decayedRateOfGroup(tx, group.id),
      movedToId,
      updatedAt: now,
    },
  });
  if (signature.count === 0) await tx.crashSignature.deleteMany({ where: { id: signatureId } });
  if (group.count === 1) await deleteWhenEmpty(tx, { ...group, movedToId }, { successorId, now });
}

/** The only group to which crashes of a group moved when they were read again; 0 when there is no such group. */
async function whereCrashesMoved(
  tx: DbTransaction,
  { id, movedToId }: Pick<CrashGroupRow, 'id' | 'movedToId'>,
  successorId: number | null,
): Promise<number | null> {
  if (successorId === id) return movedToId;
  const earlier = movedToId === null ? successorId : await currentGroupId(tx, movedToId);
  return earlier === successorId && successorId !== null ? successorId : 0;
}

/**
 * Alert rules for the deleted group move to the new group of its last crash; without one they are switched off. The id
 * goes on answering if all its crashes moved to one group.
 */
async function deleteWhenEmpty(
  tx: DbTransaction,
  group: CrashGroupRow,
  { successorId, now }: { successorId: number | null; now: Date },
): Promise<void> {
  if ((await tx.crashSignature.count({ where: { groupId: group.id } })) > 0) return;
  if (group.movedToId === null || group.movedToId === 0) await forgetMerged(tx, group.id);
  else {
    const isKnownToPeople = await wasWorkedOn(tx, group);
    await keepMerged(tx, [group], group.movedToId, now);
    if (isKnownToPeople)
      await noteActivity(tx, group.movedToId, {
        ...{ kind: 'MOVED', text: group.title, at: now },
        ...BY_THE_SERVER,
      });
  }
  await tx.crashGroup.deleteMany({ where: { id: group.id } });
  await moveRules(tx, [group.id], successorId);
}

async function wasWorkedOn(tx: DbTransaction, group: CrashGroupRow): Promise<boolean> {
  const { state, assignee, note, ticketUrl } = group;
  if (state !== 'OPEN' || (assignee ?? note ?? ticketUrl) !== null) return true;
  return (await tx.groupActivity.count({ where: { groupId: group.id } })) > 0;
}

/** While the signature is locked it cannot move to another group. */
async function lockGroupOf(tx: DbTransaction, { groupId }: SignatureRow): Promise<CrashGroupRow> {
  const group = (await lockGroups(tx, [groupId])).get(groupId);
  if (group === undefined) throw new Error('the group of a crash signature does not exist');
  return group;
}

async function isDeviceOfGroup(tx: DbTransaction, groupId: number, deviceId: number): Promise<boolean> {
  const row = await tx.crashDevice.findFirst({
    where: { deviceId, signature: { groupId } },
    select: { deviceId: true },
  });
  return row !== null;
}

/** Dumps are parsed in any order, so a crash can extend the time span at either end. */
function span(seen: { firstSeenAt: Date; lastSeenAt: Date }, at: Date) {
  return {
    ...(at < seen.firstSeenAt ? { firstSeenAt: at } : {}),
    ...(at > seen.lastSeenAt ? { lastSeenAt: at } : {}),
  };
}
