import { availableAt, createLease, RELEASED } from '../platform/background/lease.js';
import { createWorker } from '../platform/background/worker.js';
import type { Prisma } from '../platform/database/client.js';
import type { Database, DbTransaction } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import type { Regrouping } from './regroup-job.js';

/** What a change of rules does to what is stored already, item by item. */
export interface RuleWork {
  /** The name of a run is this and the id of its subject. */
  readonly prefix: string;
  /** Finished runs stay, for their progress; others are deleted. */
  readonly keepsFinished: boolean;
  count(tx: DbTransaction, subjectId: number): Promise<number>;
  /** Ids of the next items, in their order. */
  next(subjectId: number, afterId: number): Promise<number[]>;
  apply(subjectId: number, ids: readonly number[], stop: AbortSignal): Promise<void>;
  /** After the last item. */
  finish?(subjectId: number, run: Regrouping): Promise<void>;
}

export type RuleRuns = ReturnType<typeof createRuleRuns>;

/** When a server has written no progress for this time, another server takes over. */
const LEASE_MS = 60_000;
/** Pause between batches, so that uploads and parses run first. */
const PAUSE_MS = 5;

/**
 * Applies changed rules to what is stored, in the background. The progress is a row of `RegroupRun`, written in the
 * transaction of the change, so it survives a stop or crash of the server. A lease on that row makes sure that one
 * server works at a time.
 */
export function createRuleRuns({ database, owner, now, log, works }: RuleRunsDeps) {
  const { db } = database;
  const lease = createLease({ now: database.now, lastsMs: LEASE_MS });
  // The server that holds the lease can end, so each server checks again.
  const worker = createWorker({ name: 'applying changed rules', everyMs: LEASE_MS, look, log });

  return {
    start: worker.start,
    wake: worker.wake,
    /** Resolves when no run is active. */
    idle: worker.idle,
    close: worker.stop,

    /** Begins a run from the beginning, in the transaction that changes the rules. `wake` after the commit. */
    async begin(tx: DbTransaction, work: RuleWork, subjectId: number): Promise<void> {
      const fingerprintVersion = runName(work, subjectId);
      await tx.regroupRun.deleteMany({ where: { fingerprintVersion } });
      const total = await work.count(tx, subjectId);
      await tx.regroupRun.createMany({ data: { fingerprintVersion, startedAt: now(), total } });
    },
  };

  async function look(stop: AbortSignal): Promise<void> {
    for (const work of works) {
      const waiting = await db.regroupRun.findMany({
        where: { fingerprintVersion: { startsWith: work.prefix }, finishedAt: null },
        orderBy: { startedAt: 'asc' },
        select: { fingerprintVersion: true },
      });
      for (const { fingerprintVersion } of waiting) {
        if (!stop.aborted) await run(work, fingerprintVersion, stop);
      }
    }
  }

  async function run(work: RuleWork, name: string, stop: AbortSignal): Promise<void> {
    const subjectId = Number(name.slice(work.prefix.length));
    while (!stop.aborted) {
      const held = await renewLease(name);
      if (held === undefined) return;
      const ids = await work.next(subjectId, held.afterId);
      const last = ids.at(-1);
      if (last === undefined) {
        await work.finish?.(subjectId, held);
        await end(work, held);
        return;
      }
      await work.apply(subjectId, ids, stop);
      if (stop.aborted) return;
      // A run that was begun again meanwhile has another holder, or none, and begins again.
      await advance(name, { afterId: last, done: { increment: ids.length } });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async function end(work: RuleWork, { fingerprintVersion, done }: Regrouping): Promise<void> {
    if (work.keepsFinished) await advance(fingerprintVersion, { finishedAt: now(), ...RELEASED });
    else await db.regroupRun.deleteMany({ where: { fingerprintVersion, leaseOwner: owner } });
    log.info({ rules: fingerprintVersion, items: done }, 'changed rules were applied');
  }

  /** @returns undefined when the run is complete or another server works on it */
  async function renewLease(fingerprintVersion: string): Promise<Regrouping | undefined> {
    const { at, until } = await lease.term();
    const [held] = await db.regroupRun.updateManyAndReturn({
      where: { fingerprintVersion, finishedAt: null, OR: [...availableAt(at), { leaseOwner: owner }] },
      data: { leaseOwner: owner, leaseUntil: until },
    });
    return held;
  }

  async function advance(
    fingerprintVersion: string,
    data: Prisma.RegroupRunUpdateManyMutationInput,
  ): Promise<void> {
    await db.regroupRun.updateMany({ where: { fingerprintVersion, leaseOwner: owner }, data });
  }
}

function runName({ prefix }: Pick<RuleWork, 'prefix'>, subjectId: number): string {
  return `${prefix}${subjectId}`;
}

interface RuleRunsDeps {
  database: Pick<Database, 'db' | 'now'>;
  /** Names this server instance in leases. */
  owner: string;
  now: () => Date;
  log: Logger;
  works: readonly RuleWork[];
}
