import { availableAt, createLease, RELEASED } from '../platform/background/lease.js';
import { createWorker } from '../platform/background/worker.js';
import type { Prisma } from '../platform/database/client.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Database, Db, DbTransaction } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import { CURRENT_RECIPE, type FingerprintRecipe, regroupDump, WITH_REPORT } from './regroup-dump.js';
import { repairCounters } from './repair.js';
import type { GroupAlerts } from './types.js';
import { countUnread } from './unread.js';

export type Regrouping = Prisma.RegroupRunGetPayload<object>;

export type RegroupJob = ReturnType<typeof createRegroupJob>;

/** Dumps between two writes of the progress. */
const BATCH = 50;
/** When a server has written no progress for this time, another server takes over. */
const LEASE_MS = 60_000;
/** Pause between batches, so that uploads and parses run first. */
const PAUSE_MS = 5;

/** The progress of regrouping by one recipe. */
export function regroupingOf(
  db: Db,
  { version }: FingerprintRecipe = CURRENT_RECIPE,
): Promise<Regrouping | null> {
  return db.regroupRun.findUnique({ where: { fingerprintVersion: version } });
}

/**
 * Runs when the recipe of fingerprints has changed: goes through the stored dumps and counts each by the fingerprint
 * that its stored report has by the new recipe. Nothing is parsed again. Also counts dumps that are older than crash
 * groups.
 *
 * A group continues under its new fingerprint with its state, note and assignee: the first new fingerprint of its dumps
 * is the successor. Where the new recipe distinguishes more crashes, the others form new groups; where it distinguishes
 * fewer, groups are merged into the oldest. Crashes of deleted dumps stay counted in the group.
 *
 * First it repairs wrong counts of earlier versions (`repair.ts`), once for each recipe.
 *
 * The progress is a row, so it survives a stop or crash of the server. A lease on that row makes sure that one server
 * works at a time.
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
  // The server that holds the lease can end, so each server checks again.
  const worker = createWorker({ name: 'regrouping crashes', everyMs: LEASE_MS, look: run, log });

  return {
    /** Starts or continues in the background; does nothing when all dumps were regrouped by this recipe. */
    start: worker.start,

    /** Starts again from the beginning. @param runIn runs the transaction that makes the new run */
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

    /** Resolves when no run is active. */
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
        log.info({ dumps: held.done, recipe: recipe.version }, 'regrouping crashes by a new recipe');
        return;
      }
      for (const id of ids) {
        if (stop.aborted) return;
        const hasAlerts = await inTransaction(db, async (tx) => {
          const mergedInto = await regroupDump(tx, id, recipe, now());
          return mergedInto !== null && alerts.writeSpikes(tx, [mergedInto]);
        });
        if (hasAlerts) alerts.wake();
      }
      await advance({ afterId: last, done: { increment: ids.length } });
      await pause();
    }
  }

  async function repair(stop: AbortSignal): Promise<void> {
    const mayContinue = async () => {
      await pause();
      return !stop.aborted && (await renewLease({ repairedAt: null })) !== undefined;
    };
    const repaired = await repairCounters({ db, countUnread, now }, mayContinue);
    if (repaired === null) return;
    await advance({ repairedAt: now(), ...RELEASED });
    const isAllRight = Object.values(repaired).every((count) => count === 0);
    if (!isAllRight) log.warn(repaired, 'repaired wrong counters of crash groups');
  }

  /** Several servers may start at the same time, and a person may restart the run meanwhile. */
  async function ensureRun(tx: DbTransaction): Promise<Regrouping> {
    for (;;) {
      const known = await tx.regroupRun.findUnique({ where: { fingerprintVersion: recipe.version } });
      if (known !== null) return known;
      const total = await tx.coredump.count({ where: WITH_REPORT });
      await tx.$executeRaw`
        INSERT INTO "RegroupRun" ("fingerprintVersion", "startedAt", "total")
        VALUES (${recipe.version}, ${now()}, ${total}) ON CONFLICT ("fingerprintVersion") DO NOTHING`;
    }
  }

  /** @param remaining the condition for more work. @returns undefined when the run is complete or another server works */
  async function renewLease(remaining: Prisma.RegroupRunWhereInput): Promise<Regrouping | undefined> {
    const { at, until } = await lease.term();
    const [held] = await db.regroupRun.updateManyAndReturn({
      where: {
        ...remaining,
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
      where: { ...WITH_REPORT, id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take: BATCH,
      select: { id: true },
    });
    return rows.map(({ id }) => id);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
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
