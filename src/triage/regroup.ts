import { readReport } from '../coredumps/report-schema.js';
import { COREDUMP_ROW, toCoredumpRow } from '../coredumps/row.js';
import { culpritFrames, FINGERPRINT_VERSION, fingerprint } from '../crashdump/index.js';
import type { CrashReport } from '../crashdump/report.js';
import type { Db, DbTransaction, Prisma } from '../platform/database/database.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Logger } from '../platform/logger.js';
import { countCrash } from './counting.js';
import { describeCrash } from './describe-crash.js';
import { mergeGroups } from './merge.js';

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

/**
 * Walks through the kept dumps when the recipe of fingerprints is another than the last time, and counts each by the
 * fingerprint that its stored report has now. Nothing is parsed again. Also counts dumps of before there were groups.
 *
 * A group goes on under its new fingerprint with its state, note and assignee: the first new fingerprint of its dumps
 * is its heir. Where the new recipe tells more apart, the others become groups of their own; where it tells less apart,
 * groups are merged into the oldest. What was counted for dumps that are gone stays in the group.
 *
 * The progress is a row, so a stop or a crash loses nothing; several servers share the work by a lease on it.
 */
export function createRegroupJob({ db, owner, now, log, recipe = CURRENT_RECIPE }: RegroupDeps) {
  let isStopping = false;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  return {
    /** Begins, or goes on, in the background; does nothing when all was done for this recipe. */
    start(): void {
      running ??= run()
        .catch((error: unknown) => log.error({ err: error }, 'regrouping crashes failed; it goes on later'))
        .finally(() => {
          running = null;
        });
      // Whoever holds the lease may die.
      timer ??= setInterval(() => this.start(), LEASE_MS).unref();
    },

    /** From the beginning, whatever was done. `runIn` gives the transaction in which the new run is begun. */
    async restart(
      runIn: (begin: (tx: DbTransaction) => Promise<Regrouping>) => Promise<Regrouping> = (begin) =>
        inTransaction(db, begin),
    ): Promise<Regrouping> {
      await running;
      const run = await runIn(async (tx) => {
        await tx.regroupRun.deleteMany({ where: { fingerprintVersion: recipe.version } });
        return ensureRun(tx);
      });
      this.start();
      return run;
    },

    /** Of the current recipe. */
    progress: () => db.regroupRun.findUnique({ where: { fingerprintVersion: recipe.version } }),

    /** Resolves when nothing runs. */
    idle: async () => {
      await running;
    },

    async close(): Promise<void> {
      isStopping = true;
      clearInterval(timer);
      await running;
    },
  };

  async function run(): Promise<void> {
    await ensureRun(db);
    while (!isStopping) {
      const lease = await renewLease();
      if (lease === undefined) return;
      const ids = await nextDumps(lease.afterId);
      const last = ids.at(-1);
      if (last === undefined) {
        await advance({ finishedAt: now(), leaseOwner: null, leaseUntil: null });
        log.info({ dumps: lease.done, recipe: recipe.version }, 'crashes are regrouped');
        return;
      }
      for (const id of ids) {
        if (isStopping) return;
        await inTransaction(db, (tx) => regroupDump(tx, id, recipe, now));
      }
      await advance({ afterId: last, done: { increment: ids.length } });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async function ensureRun(tx: DbTransaction): Promise<Regrouping> {
    const known = await tx.regroupRun.findUnique({ where: { fingerprintVersion: recipe.version } });
    if (known !== null) return known;
    const total = await tx.coredump.count({ where: READ });
    return tx.regroupRun.upsert({
      where: { fingerprintVersion: recipe.version },
      create: { fingerprintVersion: recipe.version, startedAt: now(), total },
      update: {},
    });
  }

  async function renewLease(): Promise<Regrouping | undefined> {
    const [lease] = await db.regroupRun.updateManyAndReturn({
      where: {
        fingerprintVersion: recipe.version,
        finishedAt: null,
        OR: [{ leaseOwner: null }, { leaseOwner: owner }, { leaseUntil: { lt: now() } }],
      },
      data: { leaseOwner: owner, leaseUntil: new Date(now().getTime() + LEASE_MS) },
    });
    return lease;
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

/** One dump, in the order of locks that counting has: dump, signatures, groups. */
async function regroupDump(
  tx: DbTransaction,
  id: number,
  recipe: FingerprintRecipe,
  now: () => Date,
): Promise<void> {
  const text = await tx.coredumpText.findUnique({ where: { coredumpId: id } });
  const report = text?.report == null ? null : readReport(JSON.parse(text.report));
  if (report === null) return;
  // The reader has seen more than its report tells, so what it named by this recipe stands.
  const isCurrent = report.fingerprint?.startsWith(`${recipe.version}:`) === true;
  const renamed = isCurrent ? report : { ...report, fingerprint: recipe.of(report) };
  const [row] = await tx.coredump.updateManyAndReturn({
    where: { ...READ, id },
    data: { fingerprint: renamed.fingerprint },
    select: { ...COREDUMP_ROW, device: { select: { modelId: true } } },
  });
  // Deleted, or being read again, meanwhile.
  if (row === undefined) return;
  if (renamed.fingerprint !== report.fingerprint) {
    await tx.coredumpText.updateMany({
      where: { coredumpId: id },
      data: { report: JSON.stringify(renamed) },
    });
  }
  if (renamed.fingerprint !== null) await bequeath(tx, id, renamed, renamed.fingerprint, recipe, now());
  const { device, ...columns } = row;
  await countCrash(tx, { coredump: toCoredumpRow(columns), modelId: device.modelId, report: renamed });
}

/** Makes the new fingerprint the heir of the dump's group, if that has none of this recipe yet. */
async function bequeath(
  tx: DbTransaction,
  coredumpId: number,
  report: CrashReport,
  name: string,
  recipe: FingerprintRecipe,
  now: Date,
): Promise<void> {
  const occurrence = await tx.crashOccurrence.findUnique({
    where: { coredumpId },
    select: { signature: { select: { groupId: true, firstSeenAt: true, lastSeenAt: true } } },
  });
  if (occurrence?.signature == null) return;
  const { groupId, ...seen } = occurrence.signature;
  const heir = await tx.crashSignature.findFirst({
    where: { groupId, fingerprint: { startsWith: `${recipe.version}:` } },
    select: { id: true },
  });
  if (heir !== null) return;
  const existing = await tx.crashSignature.findUnique({ where: { fingerprint: name } });
  if (existing === null) {
    await tx.crashSignature.create({
      data: { fingerprint: name, groupId, ...describeCrash(report), ...seen },
      select: { id: true },
    });
  } else {
    const [older, younger] = [groupId, existing.groupId].sort((a, b) => a - b);
    if (older !== undefined && younger !== undefined) await mergeGroups(tx, older, [younger], now);
  }
}

interface RegroupDeps {
  db: Db;
  /** Names this server instance in leases. */
  owner: string;
  now: () => Date;
  log: Logger;
  recipe?: FingerprintRecipe;
}
