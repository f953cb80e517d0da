import { readReport } from '../coredumps/report-schema.js';
import { COREDUMP_ROW, toCoredumpRow } from '../coredumps/row.js';
import { type CrashReport, culpritFrames, FINGERPRINT_VERSION, fingerprint } from '../crashdump/index.js';
import { DomainError } from '../errors.js';
import { availableAt, createLease, RELEASED } from '../platform/background/lease.js';
import { createWorker } from '../platform/background/worker.js';
import type { Prisma } from '../platform/database/client.js';
import { StaleRead } from '../platform/database/errors.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Database, Db, DbTransaction } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import { lockGroups } from './locks.js';
import { insertSignature } from './make-signature.js';
import { mergeGroups } from './merge.js';
import { countCrash } from './record-crash.js';
import { repairCounters } from './repair.js';
import type { GroupAlerts } from './types.js';
import { countUnread } from './unread.js';

export type Regrouping = Prisma.RegroupRunGetPayload<object>;

/** How a report becomes a fingerprint; `version` is what stands before the colon of those that it makes. */
export interface FingerprintRecipe {
  version: string;
  of(report: CrashReport): string | null;
}

const CURRENT_RECIPE: FingerprintRecipe = {
  version: FINGERPRINT_VERSION,
  of({ tasks, kind, elfMatches, appElfSha256 }) {
    const crashed = tasks.find((task) => task.crashed);
    // Names from another build's ELF would group crashes by chance.
    if (crashed === undefined || (!elfMatches && appElfSha256 !== null)) return null;
    return fingerprint(culpritFrames(crashed), kind === 'STACK_OVERFLOW' ? crashed.name : null);
  },
};

export type RegroupJob = ReturnType<typeof createRegroupJob>;

/** Dumps between two writes of the progress. */
const BATCH = 50;
/** A server that has not written progress for so long is dead, and another takes over. */
const LEASE_MS = 60_000;
/** So that uploads and parses come first. */
const PAUSE_MS = 5;

/** How far the walk of a recipe is. */
export function regroupingOf(
  db: Db,
  { version }: FingerprintRecipe = CURRENT_RECIPE,
): Promise<Regrouping | null> {
  return db.regroupRun.findUnique({ where: { fingerprintVersion: version } });
}

/**
 * Walks through the kept dumps when the recipe of fingerprints is another than the last time, and counts each by the
 * fingerprint that its stored report has now. Nothing is parsed again. Also counts dumps of before there were groups.
 *
 * A group goes on under its new fingerprint with its state, note and assignee: the first new fingerprint of its dumps
 * is its heir. Where the new recipe tells more apart, the others become groups of their own; where it tells less apart,
 * groups are merged into the oldest. What was counted for dumps that are gone stays in the group.
 *
 * Before it walks it sets right what earlier versions counted wrong (`repair.ts`), once for each recipe.
 *
 * The progress is a row, so a stop or a crash loses nothing; several servers share the work by a lease on it.
 */
export function createRegroupJob({
  database,
  owner,
  now,
  log,
  alerts,
  recipe = CURRENT_RECIPE,
}: RegroupDeps) {
  const { db } = database;
  const lease = createLease({ now: database.now, lastsMs: LEASE_MS });
  // Whoever holds the lease may die, so each looks again.
  const worker = createWorker({ name: 'regrouping crashes', everyMs: LEASE_MS, look: run, log });

  return {
    /** Begins, or goes on, in the background; does nothing when all was done for this recipe. */
    start: worker.start,

    /** From the beginning, whatever was done. `runIn` gives the transaction in which the new run is begun. */
    async restart(
      runIn: (begin: (tx: DbTransaction) => Promise<Regrouping>) => Promise<Regrouping> = (begin) =>
        inTransaction(db, begin),
    ): Promise<Regrouping> {
      await worker.idle();
      const run = await runIn(async (tx) => {
        await tx.regroupRun.deleteMany({ where: { fingerprintVersion: recipe.version } });
        return ensureRun(tx);
      });
      worker.wake();
      return run;
    },

    /** Of the current recipe. */
    progress: () => regroupingOf(db, recipe),

    /** Resolves when nothing runs. */
    idle: worker.idle,

    close: worker.stop,
  };

  async function run(stop: AbortSignal): Promise<void> {
    await ensureRun(db);
    await repair(stop);
    while (!stop.aborted) {
      const held = await renewLease({ finishedAt: null });
      if (held === undefined) return;
      const ids = await nextDumps(held.afterId);
      const last = ids.at(-1);
      if (last === undefined) {
        await advance({ finishedAt: now(), ...RELEASED });
        log.info({ dumps: held.done, recipe: recipe.version }, 'crashes are regrouped');
        return;
      }
      for (const id of ids) {
        if (stop.aborted) return;
        const hasAlerts = await inTransaction(db, async (tx) => {
          const mergedInto = await regroupDump(tx, id, recipe);
          return mergedInto !== null && alerts.writeSpikes(tx, mergedInto);
        });
        if (hasAlerts) alerts.wake();
      }
      await advance({ afterId: last, done: { increment: ids.length } });
      await pause();
    }
  }

  async function repair(stop: AbortSignal): Promise<void> {
    const mayGoOn = async () => {
      await pause();
      return !stop.aborted && (await renewLease({ repairedAt: null })) !== undefined;
    };
    const repaired = await repairCounters({ db, countUnread }, mayGoOn);
    if (repaired === null) return;
    await advance({ repairedAt: now(), ...RELEASED });
    const isAllRight = Object.values(repaired).every((count) => count === 0);
    if (!isAllRight) log.warn(repaired, 'counters of crash groups that were wrong are set right');
  }

  /** Several servers begin at once, and somebody may begin again meanwhile. */
  async function ensureRun(tx: DbTransaction): Promise<Regrouping> {
    for (;;) {
      const known = await tx.regroupRun.findUnique({ where: { fingerprintVersion: recipe.version } });
      if (known !== null) return known;
      const total = await tx.coredump.count({ where: READ });
      await tx.$executeRaw`
        INSERT INTO "RegroupRun" ("fingerprintVersion", "startedAt", "total")
        VALUES (${recipe.version}, ${now()}, ${total}) ON CONFLICT ("fingerprintVersion") DO NOTHING`;
    }
  }

  /** @param todo what is not done yet; undefined is answered when it is, or when somebody else is at it */
  async function renewLease(todo: Prisma.RegroupRunWhereInput): Promise<Regrouping | undefined> {
    const { at, until } = await lease.term();
    const [held] = await db.regroupRun.updateManyAndReturn({
      where: {
        ...todo,
        fingerprintVersion: recipe.version,
        OR: [...availableAt(at), { leaseOwner: owner }],
      },
      data: { leaseOwner: owner, leaseUntil: until },
    });
    return held;
  }

  async function advance(data: Prisma.RegroupRunUpdateManyMutationInput): Promise<void> {
    const where = { fingerprintVersion: recipe.version, leaseOwner: owner };
    await db.regroupRun.updateMany({ where, data });
  }

  async function nextDumps(afterId: number): Promise<number[]> {
    const rows = await db.coredump.findMany({
      where: { ...READ, id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take: BATCH,
      select: { id: true },
    });
    return rows.map(({ id }) => id);
  }
}

const READ = { parseStatus: 'PARSED' };

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

/** One dump, in the order of locks. @returns the group that others were merged into for it, if any were */
async function regroupDump(tx: DbTransaction, id: number, recipe: FingerprintRecipe): Promise<number | null> {
  const text = await tx.coredumpText.findUnique({ where: { coredumpId: id } });
  const report = text?.report == null ? null : readReport(JSON.parse(text.report));
  if (report === null) return null;
  // The reader has seen more than its report tells, so what it named by this recipe stands.
  const isCurrent = report.fingerprint?.startsWith(`${recipe.version}:`) === true;
  const renamed = isCurrent ? report : { ...report, fingerprint: recipe.of(report) };
  const [row] = await tx.coredump.updateManyAndReturn({
    where: { ...READ, id },
    data: { fingerprint: renamed.fingerprint },
    select: { ...COREDUMP_ROW, device: { select: { modelId: true } } },
  });
  // Deleted, or being read again, meanwhile.
  if (row === undefined) return null;
  if (renamed.fingerprint !== report.fingerprint) {
    const { count } = await tx.coredumpText.updateMany({
      where: { coredumpId: id, report: text?.report ?? null },
      data: { report: JSON.stringify(renamed) },
    });
    if (count === 0) throw new StaleRead('the dump was read again meanwhile');
  }
  const mergedInto =
    renamed.fingerprint === null ? null : await bequeath(tx, id, renamed, renamed.fingerprint, recipe);
  const { device, ...columns } = row;
  await countCrash(tx, { coredump: toCoredumpRow(columns), modelId: device.modelId, report: renamed });
  return mergedInto;
}

/**
 * Makes the new fingerprint the heir of the dump's group, if that has none of this recipe yet.
 * @returns the group that others were merged into, if any were
 */
async function bequeath(
  tx: DbTransaction,
  coredumpId: number,
  report: CrashReport,
  name: string,
  recipe: FingerprintRecipe,
): Promise<number | null> {
  const occurrence = await tx.crashOccurrence.findUnique({
    where: { coredumpId },
    select: { signature: { select: { id: true, groupId: true, firstSeenAt: true, lastSeenAt: true } } },
  });
  if (occurrence?.signature == null) return null;
  const { id: signatureId, groupId, ...seen } = occurrence.signature;
  if (await hasHeir(tx, groupId, recipe)) return null;
  const existing = await tx.crashSignature.findUnique({ where: { fingerprint: name } });
  if (existing === null) {
    // Whoever joins a group holds its lock; what was read without it may be otherwise by now.
    await lockGroups(tx, [groupId]);
    await requireMembers(tx, groupId, [signatureId]);
    const isMade = await insertSignature(tx, name, groupId, report, seen);
    if (!isMade || (await hasHeir(tx, groupId, recipe, name))) throw new StaleRead('it has an heir now');
    return null;
  }
  const into = Math.min(groupId, existing.groupId);
  await mergeGroups(tx, into, [Math.max(groupId, existing.groupId)]).catch(staleWhenGone);
  await requireMembers(tx, into, [signatureId, existing.id]);
  return into;
}

/** The group is locked. */
async function requireMembers(tx: DbTransaction, groupId: number, ids: readonly number[]): Promise<void> {
  const count = await tx.crashSignature.count({ where: { groupId, id: { in: [...ids] } } });
  if (count < ids.length) throw new StaleRead('a signature has left its group meanwhile');
}

/** Of this recipe; besides the fingerprint `but`. */
async function hasHeir(tx: DbTransaction, groupId: number, { version }: FingerprintRecipe, but = '') {
  const where = { groupId, fingerprint: { startsWith: `${version}:`, not: but } };
  return (await tx.crashSignature.findFirst({ where, select: { id: true } })) !== null;
}

/** Nobody asked for this merge, so nobody is told: the dump is looked at again. */
function staleWhenGone(error: unknown): never {
  const isGone = error instanceof DomainError && (error.code === 'CONFLICT' || error.code === 'NOT_FOUND');
  throw isGone ? new StaleRead('a group was merged meanwhile', { cause: error }) : error;
}

interface RegroupDeps {
  database: Pick<Database, 'db' | 'now'>;
  alerts: GroupAlerts;
  /** Names this server instance in leases. */
  owner: string;
  now: () => Date;
  log: Logger;
  recipe?: FingerprintRecipe;
}
