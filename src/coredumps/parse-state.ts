import { randomUUID } from 'node:crypto';
import type { CrashReport } from '../crashdump/index.js';
import { availableAt, type Lease, RELEASED } from '../platform/background/lease.js';
import type { Prisma } from '../platform/database/client.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { isNoCrash, recountNoCrashes, uncountNoCrash } from './no-crash.js';
import type { Outbox } from './outbox.js';
import { type RulesOf, withOwnCode } from './own-code.js';
import { type ParseTask, TASK, toTasks } from './parse-task.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import {
  columnsOf,
  type DumpIdentity,
  earlierReading,
  NO_CRASH,
  type ParseResult,
  storeText,
} from './store-reading.js';
import { type CoredumpRow, UNKNOWN } from './types.js';
import type { CountUnread } from './unread.js';

/** Runs a reset in a transaction. */
export type RunReset = (work: (tx: DbTransaction) => Promise<CoredumpRow[]>) => Promise<CoredumpRow[]>;

/** A task that this server works on, from taking the lease until the end or the release. */
export interface Hold {
  task: ParseTask;
  /** Identifies the lease holder. */
  lease: string;
  /** Attempts already counted; null before the first one. */
  usedAttempts: number | null;
}

/** Lease of a dump that must not be retried before a given time. */
const POSTPONED = 'postponed';

/**
 * State machine of a parse, stored in the dump's row. Every step checks the dump's generation and, after `begin`, the
 * lease in its WHERE clause. A step that finds another state changes nothing and returns that. So each step can be
 * repeated when its answer did not arrive.
 *
 *   PENDING ──begin──▶ PENDING, leased, attempt n ──finish──▶ PARSED | ERROR
 *      ▲                        │
 *      └─────── release ◀───────┘        reset: PARSED | ERROR | PENDING ──▶ PENDING of the next generation
 */
export function createParseState(deps: ParseStateDeps) {
  const { db, outbox, owner, now, leases, count, countUnread, rulesOf } = deps;
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
    /** Makes the hold of a task. Nothing is written yet. */
    hold: (task: ParseTask): Hold => ({ task, lease: `${owner} ${randomUUID()}`, usedAttempts: null }),

    /**
     * Takes or renews the lease and counts an attempt before it starts, so that a crash of the server cannot hide one.
     * @returns the number of this attempt; "exhausted" (leased, nothing counted) when no attempts are left; "not ours"
     *   when the dump was deleted, finished or requeued, or another server holds it
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
      // An earlier call counted it, and its answer did not arrive.
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

    /** Renews the lease for its full length. @returns false when this server does not hold the dump any more */
    async renew({ task, lease }: Hold): Promise<boolean> {
      const { until: leaseUntil } = await leases.term();
      const { count } = await db.coredump.updateMany({ where: whileHeld(task, lease), data: { leaseUntil } });
      return count > 0;
    },

    /**
     * Notes what a first look at the dump says, so that lists show what it is, and the version that crashed, before the
     * parse ends. A dump that was counted gets them with the result of the parse, which moves what was counted.
     */
    async noteLook({ task, lease }: Hold, look: DumpIdentity & { crashVersion: string }): Promise<void> {
      const { appElfSha256, dumpChip, kind, crashVersion } = look;
      await db.coredump.updateMany({
        where: { ...whileHeld(task, lease), occurrence: null },
        data: { appElfSha256, dumpChip, ...(kind === null ? {} : { kind }), crashVersion, updatedAt: now() },
      });
    },

    /**
     * Ends the parse and counts the crash, in one transaction. If a re-parse failed because a file is missing in the
     * storage, the dump returns to its earlier result. What turns out to be no crash is not counted.
     * @returns the row after the change; null when the result came too late and nothing was changed
     */
    async finish({ task, lease }: Hold, answer: ParseResult): Promise<CoredumpRow | null> {
      let announce = () => {};
      const finished = await inTransaction(db, async (tx) => {
        const rules = answer.text.report === null ? [] : await rulesOf(tx, task.modelId);
        const result = { ...answer, text: withOwnCode(answer.text, rules) };
        const earlier = await earlierReading(tx, task, result);
        const [row] = await tx.coredump.updateManyAndReturn({
          where: whileHeld(task, lease),
          data: {
            ...(earlier === null ? { ...columnsOf(result, now()), ...ownVersionOf(result, task) } : earlier),
            updatedAt: now(),
            ...RELEASED,
          },
          select: COREDUMP_ROW,
        });
        if (row === undefined) return null;
        const coredump = toCoredumpRow(row);
        // Only a dump that was parsed before can have been queued again.
        if (task.generation > 0) await tx.earlierReading.deleteMany({ where: { coredumpId: row.id } });
        if (earlier === null) await storeText(tx, row.id, result.text);
        await outbox.ended(tx, [coredump]);
        if (isNoCrash(coredump)) await uncountNoCrash(tx, coredump);
        else if (earlier === null) {
          announce = await count(tx, { coredump, modelId: task.modelId, report: result.text.report });
        }
        return coredump;
      });
      announce();
      return finished;
    },

    /**
     * Releases the lease, and uncounts an attempt that was not used: the dump is not at fault.
     * @param pauseMs no server takes the dump before this time is over; absent: it is available at once
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
     * Sets dumps to PENDING in a new generation. An earlier result is kept aside until there is a newer one. A dump
     * that was never parsed is counted now, because its row does not show that afterwards.
     * @param run runs the transaction, for callers that add their own statements
     * @returns the rows that were reset, newest first
     */
    async reset(
      where: Prisma.CoredumpWhereInput,
      run: RunReset = (work) => inTransaction(db, work),
    ): Promise<CoredumpRow[]> {
      return run(async (tx) => {
        // Locks the rows and returns their current values.
        const before = await tx.coredump.updateManyAndReturn({
          where,
          data: {
            parseGeneration: { increment: 1 },
            parseAttempts: 0,
            ...RELEASED,
          },
          select: READING,
        });
        const ids = before.map(({ id }) => id);
        const read = before.filter(({ parseStatus }) => parseStatus === 'PARSED');
        await tx.earlierReading.createMany({
          data: read.map(({ id, parseStatus: _, parseErrorKind: __, ...reading }) => ({
            coredumpId: id,
            ...reading,
          })),
        });
        await tx.coredumpText.deleteMany({
          where: { coredumpId: { in: ids }, coredump: { earlierReading: null } },
        });
        const rows = await tx.coredump.updateManyAndReturn({
          where: { id: { in: ids } },
          data: {
            ...{ parseStatus: 'PENDING', parseErrorKind: null, parsedAt: null, updatedAt: now() },
            ...{ fingerprint: null, ...NO_CRASH },
          },
          select: COREDUMP_ROW,
        });
        // Until it is read again, what was no crash is one for its device alone.
        const noCrashes = before.filter(isNoCrash).map(({ id }) => id);
        await recountNoCrashes(tx, noCrashes);
        await countUnread(
          tx,
          ids.filter((id) => !noCrashes.includes(id)),
        );
        const coredumps = rows.map(toCoredumpRow).sort((a, b) => b.id - a.id);
        await outbox.waiting(tx, coredumps);
        return coredumps;
      });
    },

    /**
     * Releases every lease. Only for a server that is alone with its database: every lease is then from a dead server.
     */
    async liftLeases(): Promise<void> {
      await db.coredump.updateMany({
        where: { parseStatus: 'PENDING', leaseOwner: { not: null } },
        data: RELEASED,
      });
    },

    /** Tasks that no server holds, oldest first. */
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
      return toTasks(rows);
    },

    /** Number of PENDING dumps, those being parsed included. */
    async depth(): Promise<number> {
      return db.coredump.count({ where: { parseStatus: 'PENDING' } });
    },

    /** Tasks of those of these dumps that are PENDING. */
    async tasksOf(ids: readonly number[]): Promise<ParseTask[]> {
      const where = { id: { in: [...ids] }, parseStatus: 'PENDING' };
      return toTasks(await db.coredump.findMany({ where, select: TASK }));
    },
  };
}

export type ParseState = ReturnType<typeof createParseState>;

/** What is kept aside of a dump that is parsed again. */
const READING = {
  ...{ id: true, parseStatus: true, parseErrorKind: true, parsedAt: true },
  ...{ fingerprint: true, crashKind: true, crashedTask: true, reason: true },
} as const;

/** Lease for a dump that is only ended, without another attempt. */
function lastOf(lease: string): string {
  return `${lease} last`;
}

/** A dump whose parse has ended, before its commit. */
export interface FinishedParse {
  coredump: CoredumpRow;
  modelId: number;
  report: CrashReport | null;
}

/** Counts a crash within the transaction that ends its parse. @returns what to do after the commit */
export type CountCrash = (tx: DbTransaction, parse: FinishedParse) => Promise<() => void>;

interface ParseStateDeps {
  db: Db;
  outbox: Outbox;
  count: CountCrash;
  countUnread: CountUnread;
  /** About own code. */
  rulesOf: RulesOf;
  /** Identifies this server instance in leases. */
  owner: string;
  now: () => Date;
  /** Leases last as long as one attempt may take; after that other servers assume that this server is dead. */
  leases: Lease;
}

/** What the device could not tell, its text does: the crash waits for the build of that version, and is counted by it. */
function ownVersionOf(
  { ownVersion = null }: ParseResult,
  { firmwareVersion }: ParseTask,
): { firmwareVersion?: string } {
  return firmwareVersion === UNKNOWN && ownVersion !== null ? { firmwareVersion: ownVersion } : {};
}
