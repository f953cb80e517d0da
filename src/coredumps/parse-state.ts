import type { CrashReport } from '../crashdump/report.js';
import type { Db, DbTransaction, Prisma } from '../platform/database/database.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Outbox } from './outbox.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import type { CoredumpRow, CoredumpText, ParseErrorKind } from './types.js';
import type { CountUnread } from './unread.js';

/** Everything that a parse needs to know of its dump, as values: the job reads no row. */
export interface ParseTask {
  coredumpId: number;
  /** Fencing token: a re-parse raises it, and whoever holds an older one can change nothing any more. */
  generation: number;
  modelId: number;
  modelCode: string;
  deviceKey: string;
  filename: string;
  chip: string;
  firmwareVersion: string;
}

/** Runs a reset in a transaction. */
export type RunReset = (work: (tx: DbTransaction) => Promise<CoredumpRow[]>) => Promise<CoredumpRow[]>;

export interface ParseResult {
  status: 'PARSED' | 'ERROR';
  errorKind: ParseErrorKind | null;
  text: CoredumpText;
  firmwareId: number | null;
  appElfSha256: string | null;
}

/** What is selected to make a task. */
const TASK = {
  id: true,
  parseGeneration: true,
  filename: true,
  chip: true,
  firmwareVersion: true,
  device: { select: { key: true, modelId: true, model: { select: { code: true } } } },
} as const satisfies Prisma.CoredumpSelect;

function toTask({
  id,
  parseGeneration,
  device,
  ...dump
}: Prisma.CoredumpGetPayload<{ select: typeof TASK }>): ParseTask {
  return {
    coredumpId: id,
    generation: parseGeneration,
    modelId: device.modelId,
    modelCode: device.model.code,
    deviceKey: device.key,
    ...dump,
  };
}

/**
 * The life of a parse, as the row tells it. Every step names the dump's generation and, once begun, the lease's owner
 * in its WHERE: a step that finds another state changes nothing and says so.
 *
 *   PENDING ──begin──▶ PENDING, leased, attempt n ──finish──▶ PARSED | ERROR
 *      ▲                        │
 *      └────── handBack ◀───────┘        reset: PARSED | ERROR | PENDING ──▶ PENDING of the next generation
 */
export function createParseState({
  db,
  outbox,
  owner,
  now,
  leaseNow,
  leaseMs,
  count,
  countUnread,
}: ParseStateDeps) {
  const whileOwned = (task: ParseTask) => ({
    id: task.coredumpId,
    parseStatus: 'PENDING',
    parseGeneration: task.generation,
    leaseOwner: owner,
  });

  return {
    /**
     * Takes or renews the lease and counts an attempt, before it begins: a crash of ours cannot hide one.
     * @returns the number of this attempt; "exhausted" (leased, nothing counted) when all were used up; "not ours"
     * when the dump is gone, done, re-queued, or somebody else's for now
     */
    async begin(task: ParseTask, maxAttempts: number): Promise<number | 'exhausted' | 'not ours'> {
      const at = await leaseNow();
      const free: Prisma.CoredumpWhereInput = {
        id: task.coredumpId,
        parseStatus: 'PENDING',
        parseGeneration: task.generation,
        OR: [{ leaseOwner: null }, { leaseOwner: owner }, { leaseUntil: { lt: at } }],
      };
      const lease = { leaseOwner: owner, leaseUntil: new Date(at.getTime() + leaseMs) };
      const [counted] = await db.coredump.updateManyAndReturn({
        where: { ...free, parseAttempts: { lt: maxAttempts } },
        data: { ...lease, parseAttempts: { increment: 1 } },
        select: { parseAttempts: true },
      });
      if (counted !== undefined) return counted.parseAttempts;
      const { count } = await db.coredump.updateMany({ where: free, data: lease });
      return count > 0 ? 'exhausted' : 'not ours';
    },

    /** Makes the lease last as long as at its beginning. @returns false when the dump is not ours any more */
    async renew(task: ParseTask): Promise<boolean> {
      const leaseUntil = new Date((await leaseNow()).getTime() + leaseMs);
      const { count } = await db.coredump.updateMany({ where: whileOwned(task), data: { leaseUntil } });
      return count > 0;
    },

    /**
     * Ends the parse and has the crash counted, all of it or nothing.
     * @returns the row as it is now; null when the answer came too late and nothing was changed
     */
    async finish(task: ParseTask, result: ParseResult): Promise<CoredumpRow | null> {
      const report = result.text.report === null ? null : JSON.stringify(result.text.report);
      // PostgreSQL's text cannot hold a NUL; JSON writes it as an escape.
      const text = { output: result.text.output.replaceAll('\0', '\uFFFD'), report };
      let announce = () => {};
      const finished = await inTransaction(db, async (tx) => {
        const [row] = await tx.coredump.updateManyAndReturn({
          where: whileOwned(task),
          data: {
            parseStatus: result.status,
            parseErrorKind: result.errorKind,
            firmwareId: result.firmwareId,
            appElfSha256: result.appElfSha256,
            fingerprint: result.text.report?.fingerprint ?? null,
            parsedAt: now(),
            leaseOwner: null,
            leaseUntil: null,
          },
          select: COREDUMP_ROW,
        });
        if (row === undefined) return null;
        await tx.coredumpText.upsert({
          where: { coredumpId: row.id },
          create: { coredumpId: row.id, ...text },
          update: text,
          select: { coredumpId: true },
        });
        const coredump = toCoredumpRow(row);
        await outbox.ended(tx, [coredump]);
        announce = await count(tx, { coredump, modelId: task.modelId, report: result.text.report });
        return coredump;
      });
      announce();
      return finished;
    },

    /** Gives an unfinished attempt back uncounted: the server stops, the dump is not at fault. */
    async handBack(task: ParseTask): Promise<void> {
      await inTransaction(db, async (tx) => {
        await tx.coredump.updateMany({
          where: whileOwned(task),
          data: { leaseOwner: null, leaseUntil: null, parseAttempts: { decrement: 1 } },
        });
        await outbox.waiting(tx, [{ id: task.coredumpId, parseGeneration: task.generation }]);
      });
    },

    /**
     * Back to PENDING in a new generation. What was never read is counted now: from here on the row does not tell that.
     * @param run the transaction, for who has something to add to it
     * @returns the rows that were reset, newest first
     */
    async reset(
      where: Prisma.CoredumpWhereInput,
      run: RunReset = (work) => inTransaction(db, work),
    ): Promise<CoredumpRow[]> {
      return run(async (tx) => {
        const rows = await tx.coredump.updateManyAndReturn({
          where,
          data: {
            parseStatus: 'PENDING',
            parseGeneration: { increment: 1 },
            parseAttempts: 0,
            parseErrorKind: null,
            fingerprint: null,
            parsedAt: null,
            leaseOwner: null,
            leaseUntil: null,
          },
          select: COREDUMP_ROW,
        });
        const ids = rows.map(({ id }) => id);
        await countUnread(tx, ids);
        await tx.coredumpText.deleteMany({ where: { coredumpId: { in: ids } } });
        const coredumps = rows.map(toCoredumpRow).sort((a, b) => b.id - a.id);
        await outbox.waiting(tx, coredumps);
        return coredumps;
      });
    },

    /** Lifts every lease. Only for a server that is alone with its database: what is leased is left from a dead one. */
    async liftLeases(): Promise<void> {
      await db.coredump.updateMany({
        where: { parseStatus: 'PENDING', leaseOwner: { not: null } },
        data: { leaseOwner: null, leaseUntil: null },
      });
    },

    /** Tasks that wait for somebody, oldest first. */
    async waiting(take: number): Promise<ParseTask[]> {
      const rows = await db.coredump.findMany({
        where: {
          parseStatus: 'PENDING',
          OR: [{ leaseOwner: null }, { leaseUntil: { lt: await leaseNow() } }],
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
  /** The clock of leases: one for all servers, or one that is ahead would take dumps out of the hands of others. */
  leaseNow: () => Promise<Date>;
  /** How long an attempt may take before others may assume that its server is dead. */
  leaseMs: number;
}
