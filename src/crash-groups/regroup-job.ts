import type { Db, DbTransaction, Prisma } from '../platform/database/open-database.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Logger } from '../platform/logger.js';
import { CURRENT_RECIPE, type FingerprintRecipe, regroupDump } from './regroup-dump.js';
import { repairCounters } from './repair.js';
import type { GroupAlerts } from './types.js';
import { countUnread } from './unread.js';

export type Regrouping = Prisma.RegroupRunGetPayload<object>;

export type RegroupJob = ReturnType<typeof createRegroupJob>;

/** Dumps between two writes of the progress. */
const BATCH = 50;
/** When a server has written no progress for so long, another server takes over. */
const LEASE_MS = 60_000;
/** So that uploads and parses come first. */
const PAUSE_MS = 5;

/** The progress of the regrouping by a recipe. */
export function regroupingOf(
  db: Db,
  { version }: FingerprintRecipe = CURRENT_RECIPE,
): Promise<Regrouping | null> {
  return db.regroupRun.findUnique({ where: { fingerprintVersion: version } });
}

/**
 * Goes through the stored dumps when the recipe of fingerprints has changed, and counts each dump by the fingerprint that
 * its stored report has by the new recipe. Nothing is parsed again. Also counts dumps from before there were groups.
 *
 * A group continues under its new fingerprint with its state, note and assignee: the first new fingerprint of its dumps
 * is the successor. Where the new recipe distinguishes more crashes, the others become groups of their own; where it
 * distinguishes fewer, groups are merged into the oldest. Crashes of deleted dumps stay counted in the group.
 *
 * First it repairs what earlier versions counted wrong (`repair.ts`), once for each recipe.
 *
 * The progress is a row, so that a stop or a crash of the server loses nothing; several servers share the work by a lease
 * on it.
 */
export function createRegroupJob({ db, owner, now, log, alerts, recipe = CURRENT_RECIPE }: RegroupDeps) {
  let isStopping = false;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  return {
    /** Starts or continues in the background; does nothing when all was done for this recipe. */
    start(): void {
      running ??= run()
        .catch((error: unknown) => log.error({ err: error }, 'regrouping crashes failed; it continues later'))
        .finally(() => {
          running = null;
        });
      // The server that holds the lease may die.
      timer ??= setInterval(() => this.start(), LEASE_MS).unref();
    },

    /** Starts again from the beginning. @param runIn gives the transaction that makes the new run */
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
    progress: () => regroupingOf(db, recipe),

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
    await repair();
    while (!isStopping) {
      const lease = await renewLease({ finishedAt: null });
      if (lease === undefined) return;
      const ids = await nextDumps(lease.afterId);
      const last = ids.at(-1);
      if (last === undefined) {
        await advance({ finishedAt: now(), ...NO_LEASE });
        log.info({ dumps: lease.done, recipe: recipe.version }, 'crashes are regrouped');
        return;
      }
      for (const id of ids) {
        if (isStopping) return;
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

  async function repair(): Promise<void> {
    const mayGoOn = async () => {
      await pause();
      return !isStopping && (await renewLease({ repairedAt: null })) !== undefined;
    };
    const repaired = await repairCounters({ db, countUnread }, mayGoOn);
    if (repaired === null) return;
    await advance({ repairedAt: now(), ...NO_LEASE });
    const isAllRight = Object.values(repaired).every((count) => count === 0);
    if (!isAllRight) log.warn(repaired, 'repaired wrong counters of crash groups');
  }

  /** Several servers may start at the same time, and a person may restart meanwhile. */
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

  /** @param todo matches while there is work. @returns undefined when it is done, or another server does it */
  async function renewLease(todo: Prisma.RegroupRunWhereInput): Promise<Regrouping | undefined> {
    const [lease] = await db.regroupRun.updateManyAndReturn({
      where: {
        ...todo,
        fingerprintVersion: recipe.version,
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
const NO_LEASE = { leaseOwner: null, leaseUntil: null };

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

interface RegroupDeps {
  db: Db;
  alerts: GroupAlerts;
  /** Names this server instance in leases. */
  owner: string;
  now: () => Date;
  log: Logger;
  recipe?: FingerprintRecipe;
}
