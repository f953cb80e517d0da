import { crashVersionOf, keepCrashVersion } from '../coredumps/crash-version.js';
import type { CoredumpEvents } from '../coredumps/events.js';
import type { Outbox } from '../coredumps/outbox.js';
import { reportIn } from '../coredumps/report-schema.js';
import { type ArrivedFirmware, prefixesOf } from '../coredumps/requeue.js';
import { COREDUMP_ROW, toCoredumpRow } from '../coredumps/row.js';
import type { CoredumpRow } from '../coredumps/types.js';
import type { CrashReport } from '../crashdump/index.js';
import type { Clock } from '../platform/clock.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { noteRegression } from './activity.js';
import { decrementVariant, incrementVariant } from './counters.js';
import { addToSeries } from './crash-series.js';
import { lockGroups, lockWithGroups } from './locks.js';
import { moveInFleet, type TellOfCrash } from './record-crash.js';
import { regressionIn } from './regression.js';
import type { Crash, GroupChange } from './types.js';

const BATCH = 200;

/**
 * Gives dumps of a build its version, and moves what was counted of them: after the build arrived, or its version was
 * corrected. What is not known to name the build yet gets its version from its parse. Each dump is a transaction of its
 * own, so the correction can stop at any point.
 *
 * @returns the number of dumps that have another version now
 */
export function createVersionCorrection({ db, clock, events, outbox, tell }: CorrectionDeps) {
  return async function correctVersions(build: ArrivedFirmware): Promise<number> {
    let corrected = 0;
    for (let afterId = 0; ; ) {
      const rows = await db.coredump.findMany({
        where: {
          id: { gt: afterId },
          device: { modelId: build.modelId },
          OR: [
            { firmwareId: build.id },
            { appElfSha256: { in: prefixesOf(build) } },
            // Its parse may be about to commit what it has read of the build before.
            { parseStatus: 'PENDING', leaseOwner: { not: null } },
          ],
        },
        orderBy: { id: 'asc' },
        take: BATCH,
        select: { id: true },
      });
      const last = rows.at(-1);
      if (last === undefined) return corrected;
      for (const { id } of rows) {
        const changed = await inTransaction(db, async (tx) => {
          const moved = await correctVersion(tx, id, build.modelId, clock.now());
          if (moved === null) return null;
          const { dump, change } = moved;
          await outbox.ended(tx, [dump]);
          if (change === null) return { dump, publish: () => {} };
          const crash = { coredump: dump, modelId: build.modelId, report: await reportOf(tx, dump) };
          return { dump, publish: await tell(tx, crash, change) };
        });
        if (changed === null) continue;
        events.publish(changed.dump);
        changed.publish();
        corrected += 1;
      }
      afterId = last.id;
    }
  };
}

interface CorrectionDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  events: Pick<CoredumpEvents, 'publish'>;
  outbox: Pick<Outbox, 'ended'>;
  tell: TellOfCrash;
}

/**
 * @returns the dump as it is now, and what that did to its group; null when its version stays, or it was deleted
 */
async function correctVersion(
  tx: DbTransaction,
  id: number,
  modelId: number,
  now: Date,
): Promise<{ dump: CoredumpRow; change: GroupChange | null } | null> {
  const [row] = await tx.coredump.updateManyAndReturn({
    where: { id },
    data: { parseAttempts: { increment: 0 } },
    select: COREDUMP_ROW,
  });
  if (row === undefined) return null;
  const dump = toCoredumpRow(row);
  const version = await crashVersionOf(tx, dump, { modelId, elfMatches: await usedNamedBuild(tx, dump) });
  if (version === dump.crashVersion) return null;
  const change = await moveCounted(tx, dump, version, now);
  await keepCrashVersion(tx, dump, version);
  await tx.coredump.updateMany({ where: { id }, data: { updatedAt: now } });
  return { dump: { ...dump, crashVersion: version, updatedAt: now }, change };
}

/**
 * Whether the parse was made with the build that the dump names. Where the row has no digits of a SHA-256, the report of
 * another sidecar may still say so.
 */
async function usedNamedBuild(tx: DbTransaction, dump: CoredumpRow): Promise<boolean> {
  if (dump.appElfSha256 !== null) return false;
  return (await reportOf(tx, dump))?.elfMatches === true;
}

async function reportOf(tx: DbTransaction, { id }: CoredumpRow): Promise<CrashReport | null> {
  const text = await tx.coredumpText.findUnique({ where: { coredumpId: id }, select: { report: true } });
  return reportIn(text);
}

/** Counts the crash for another version, in the group that it is in. Locks as `locks.ts` says; the dump is locked. */
async function moveCounted(
  tx: DbTransaction,
  dump: CoredumpRow,
  version: string,
  now: Date,
): Promise<GroupChange | null> {
  const { id, deviceId, chip, uploadedAt: at } = dump;
  const counted = await tx.crashOccurrence.findUnique({
    where: { coredumpId: id },
    select: { modelId: true, firmwareVersion: true, signature: { select: { id: true, fingerprint: true } } },
  });
  if (counted === null || counted.firmwareVersion === version) return null;
  const { modelId, signature } = counted;
  const before: Crash = { deviceId, chip, at, modelId, firmwareVersion: counted.firmwareVersion };
  const after: Crash = { ...before, firmwareVersion: version };
  const change = signature === null ? null : await moveInSignature(tx, signature, { before, after }, now);
  await moveInFleet(tx, before, after);
  await tx.crashOccurrence.updateMany({ where: { coredumpId: id }, data: { firmwareVersion: version } });
  return change;
}

async function moveInSignature(
  tx: DbTransaction,
  { id, fingerprint }: { id: number; fingerprint: string },
  { before, after }: { before: Crash; after: Crash },
  now: Date,
): Promise<GroupChange | null> {
  await lockWithGroups(tx, [fingerprint]);
  const signature = await tx.crashSignature.findUnique({ where: { id }, select: { groupId: true } });
  const groupId = signature?.groupId;
  const group = groupId === undefined ? undefined : (await lockGroups(tx, [groupId])).get(groupId);
  if (group === undefined) throw new Error('the group of a counted crash does not exist');
  const regression = await regressionIn(tx, group, after);
  await tx.crashGroup.updateMany({
    where: { id: group.id },
    data: { ...(regression ?? {}), updatedAt: now },
  });
  if (regression !== null) await noteRegression(tx, group.id, regression.regressedInVersion, now);
  await incrementVariant(tx, id, after);
  await decrementVariant(tx, id, before);
  await addToSeries(tx, [
    { ...before, signatureId: id, by: -1 },
    { ...after, signatureId: id, by: 1 },
  ]);
  return regression === null ? null : { groupId: group.id, kind: 'regression' };
}
