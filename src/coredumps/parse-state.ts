import { randomUUID } from 'node:crypto';
import type { CrashReport } from '../crashdump/index.js';
import { availableAt, type Lease, RELEASED } from '../platform/background/lease.js';
import type { Prisma } from '../platform/database/client.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import type { Outbox } from './outbox.js';
import { type ParseTask, TASK, toTask } from './parse-task.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import { columnsOf, earlierReading, type ParseResult, storeText } from './store-reading.js';
import type { CoredumpRow } from './types.js';
import type { CountUnread } from './unread.js';

/** Runs a reset in a transaction. */
export type RunReset = (work: (tx: DbTransaction) => Promise<CoredumpRow[]>) => Promise<CoredumpRow[]>;

/** A task in the hands of a server, from the lease to the end or until it is released. */
export interface Hold {
  task: ParseTask;
  /** Names who holds it. */
  lease: string;
  /** Attempts that are used up; null until the first one has begun. */
  usedAttempts: number | null;
}

/** Of a dump that waits until it may be tried again. */
const POSTPONED = 'postponed';

/**
 * The life of a parse, as the row tells it. Every step names the dump's generation and, once begun, the lease
 * in its WHERE: a step that finds another state changes nothing and says so. So each may be done again when its answer
 * was lost on the way.
 *
 *   PENDING ──begin──▶ PENDING, leased, attempt n ──finish──▶ PARSED | ERROR
 *      ▲                        │
 *      └─────── release ◀───────┘        reset: PARSED | ERROR | PENDING ──▶ PENDING of the next generation
 */
export function createParseState({ db, outbox, owner, now, leases, count, countUnread }: ParseStateDeps) {
  const pending = ({ coredumpId, generation }: ParseTask) => ({
    id: coredumpId,
    parseStatus: 'PENDING',
    parseGeneration: generation,
  });
  const whileHeld = (task: ParseTask, lease: string) => ({
    ...pending(task),
    leaseOwner: { in: [lease, lastOf(lease)] },
  });

  return {
    /** Takes a task in hand. Nothing is written yet. */
    hold: (task: ParseTask): Hold => ({ task, lease: `${owner} ${randomUUID()}`, usedAttempts: null }),

    /**
     * Takes or renews the lease and counts an attempt, before it begins: a crash of ours cannot hide one.
     * @returns the number of this attempt; "exhausted" (leased, nothing counted) when all were used up; "not ours"
     * when the dump is gone, done, re-queued, or somebody else's for now
     */
    async begin(
      { task, lease, usedAttempts }: Hold,
      maxAttempts: number,
    ): Promise<number | 'exhausted' | 'not ours'> {
      const { at, until: leaseUntil } = await leases.term();
      const used = usedAttempts ?? 0;
      const free: Prisma.CoredumpWhereInput = {
        ...pending(task),
        OR: [
          { leaseOwner: null },
          { leaseUntil: { lt: at }, leaseOwner: { not: lease } },
          { leaseOwner: lease, parseAttempts: used },
          { leaseOwner: lastOf(lease) },
        ],
      };
      const [counted] = await db.coredump.updateManyAndReturn({
        where: { ...free, parseAttempts: { lt: maxAttempts } },
        data: { leaseOwner: lease, leaseUntil, parseAttempts: { increment: 1 } },
        select: { parseAttempts: true },
      });
      if (counted !== undefined) return counted.parseAttempts;
      // Counted by a call before this one, whose answer did not come.
      const known = await db.coredump.findFirst({
        where: { ...pending(task), leaseOwner: lease, parseAttempts: { gt: used } },
        select: { parseAttempts: true },
      });
      if (known !== null) return known.parseAttempts;
      const { count } = await db.coredump.updateMany({
        where: { ...free, parseAttempts: { gte: maxAttempts } },
        data: { leaseOwner: lastOf(lease), leaseUntil },
      });
      return count > 0 ? 'exhausted' : 'not ours';
    },

    /** Makes the lease last as long as at its beginning. @returns false when the dump is not ours any more */
    async renew({ task, lease }: Hold): Promise<boolean> {
      const { until: leaseUntil } = await leases.term();
      const { count } = await db.coredump.updateMany({ where: whileHeld(task, lease), data: { leaseUntil } });
      return count > 0;
    },

    /**
     * Ends the parse and has the crash counted, all of it or nothing. Where the storage has lost what was to be read
     * again, the dump becomes what it was before.
     * @returns the row as it is now; null when the answer came too late and nothing was changed
     */
    async finish({ task, lease }: Hold, result: ParseResult): Promise<CoredumpRow | null> {
      let announce = () => {};
      const finished = await inTransaction(db, async (tx) => {
        const earlier = await earlierReading(tx, task, result);
        const [row] = await tx.coredump.updateManyAndReturn({
          where: whileHeld(task, lease),
          data: {
            ...(earlier === null ? columnsOf(result, now()) : earlier),
            ...RELEASED,
          },
          select: COREDUMP_ROW,
        });
        if (row === undefined) return null;
        const coredump = toCoredumpRow(row);
        // Only what was read before has been queued again.
        if (task.generation > 0) await tx.earlierReading.deleteMany({ where: { coredumpId: row.id } });
        if (earlier === null) await storeText(tx, row.id, result.text);
        await outbox.ended(tx, [coredump]);
        if (earlier === null) {
          announce = await count(tx, { coredump, modelId: task.modelId, report: result.text.report });
        }
        return coredump;
      });
      announce();
      return finished;
    },

    /**
     * Releases the lease, and takes an attempt back that was not used up: the dump is not at fault.
     * @param pauseMs nobody takes it up before that; without it is there for others at once
     */
    async release({ task, lease, usedAttempts }: Hold, pauseMs = 0): Promise<void> {
      const postponed = { leaseOwner: POSTPONED, leaseUntil: (await leases.term(pauseMs)).until };
      await inTransaction(db, async (tx) => {
        const { count } = await tx.coredump.updateMany({
          where: { ...pending(task), leaseOwner: lease },
          data: {
            ...(pauseMs > 0 ? postponed : RELEASED),
            parseAttempts: usedAttempts ?? { decrement: 1 },
          },
        });
        if (count > 0 && pauseMs === 0) {
          await outbox.waiting(tx, [{ id: task.coredumpId, parseGeneration: task.generation }]);
        }
      });
    },

    /**
     * Back to PENDING in a new generation. What was read of it stays aside until there is something newer. What was
     * never read is counted now: from here on the row does not tell that.
     * @param run the transaction, for who has something to add to it
     * @returns the rows that were reset, newest first
     */
    async reset(
      where: Prisma.CoredumpWhereInput,
      run: RunReset = (work) => inTransaction(db, work),
    ): Promise<CoredumpRow[]> {
      return run(async (tx) => {
        // Locks the rows, and answers what they say still.
        const before = await tx.coredump.updateManyAndReturn({
          where,
          data: {
            parseGeneration: { increment: 1 },
            parseAttempts: 0,
            ...RELEASED,
          },
          select: { id: true, parseStatus: true, fingerprint: true, parsedAt: true },
        });
        const ids = before.map(({ id }) => id);
        const read = before.filter(({ parseStatus }) => parseStatus === 'PARSED');
        await tx.earlierReading.createMany({
          data: read.map(({ id, fingerprint, parsedAt }) => ({ coredumpId: id, fingerprint, parsedAt })),
        });
        await tx.coredumpText.deleteMany({
          where: { coredumpId: { in: ids }, coredump: { earlierReading: null } },
        });
        const rows = await tx.coredump.updateManyAndReturn({
          where: { id: { in: ids } },
          data: { parseStatus: 'PENDING', parseErrorKind: null, fingerprint: null, parsedAt: null },
          select: COREDUMP_ROW,
        });
        await countUnread(tx, ids);
        const coredumps = rows.map(toCoredumpRow).sort((a, b) => b.id - a.id);
        await outbox.waiting(tx, coredumps);
        return coredumps;
      });
    },

    /** Lifts every lease. Only for a server that is alone with its database: what is leased is left from a dead one. */
    async liftLeases(): Promise<void> {
      await db.coredump.updateMany({
        where: { parseStatus: 'PENDING', leaseOwner: { not: null } },
        data: RELEASED,
      });
    },

    /** Tasks that wait for somebody, oldest first. */
    async waiting(take: number): Promise<ParseTask[]> {
      const rows = await db.coredump.findMany({
        where: {
          parseStatus: 'PENDING',
          OR: availableAt((await leases.term()).at),
        },
        orderBy: { id: 'asc' },
        take,
        select: TASK,
      });
      return rows.map(toTask);
    },

    /** Dumps that wait for their parse or are in it. */
    async depth(): Promise<number> {
      return db.coredump.count({ where: { parseStatus: 'PENDING' } });
    },

    /** Tasks of these dumps, as far as they are PENDING. */
    async tasksOf(ids: readonly number[]): Promise<ParseTask[]> {
      const where = { id: { in: [...ids] }, parseStatus: 'PENDING' };
      return (await db.coredump.findMany({ where, select: TASK })).map(toTask);
    },
  };
}

export type ParseState = ReturnType<typeof createParseState>;

/** Of a dump that is in hand only to be ended, without another attempt. */
function lastOf(lease: string): string {
  return `${lease} last`;
}

/** A dump whose parse has ended, as it is about to be committed. */
export interface FinishedParse {
  coredump: CoredumpRow;
  modelId: number;
  report: CrashReport | null;
}

/** Counts a crash within the transaction that ends its parse. @returns what is to be done once it is committed */
export type CountCrash = (tx: DbTransaction, parse: FinishedParse) => Promise<() => void>;

interface ParseStateDeps {
  db: Db;
  outbox: Outbox;
  count: CountCrash;
  countUnread: CountUnread;
  /** Names this server instance in leases. */
  owner: string;
  now: () => Date;
  /** They last as long as an attempt may take before others may assume that its server is dead. */
  leases: Lease;
}
