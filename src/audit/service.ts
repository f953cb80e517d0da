import { type Actor, currentActor } from '../auth/actor.js';
import type { Clock } from '../platform/clock.js';
import type { PageWindow } from '../platform/database/children.js';
import type { Prisma } from '../platform/database/client.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';

export type AuditEventRow = Prisma.AuditEventGetPayload<object>;

/** Types of objects that an action can change. */
export const AUDIT_TARGETS = [
  'AlertRule',
  'Coredump',
  'CrashGroup',
  'Device',
  'DeviceModel',
  'Firmware',
  'IngestKey',
  'Tag',
  'SavedView',
] as const;

/** The note of an action; the actor, the time and the address are added from the context. */
export interface AuditNote {
  /** The mutation's name, `downloadCoredump` or `downloadFirmware`. A small set: it is a label of a metric. */
  action: string;
  targetType?: (typeof AUDIT_TARGETS)[number];
  targetId?: number;
  /** The target's name for people: the target may be deleted when this is read. */
  target?: string;
  /** What was done, in a few words: to which version, to whom. Longer texts are cut. */
  detail?: string;
  /** Who did it, where it was no person: a device. */
  by?: AuditActor;
}

/** An actor that the context does not know. */
export interface AuditActor {
  role: (typeof AUDIT_ROLES)[number];
  actor: string;
  via: (typeof AUDIT_WAYS)[number];
  address: string;
  requestId: string;
}

/** Roles of actors; `server`: the server did it by itself. */
export const AUDIT_ROLES = ['viewer', 'uploader', 'admin', 'device', 'server'] as const;
/** How actors are known. */
export const AUDIT_WAYS = ['issuer', 'token', 'publisher', 'link', 'ingest_key', 'open', 'server'] as const;

export interface AuditFilter {
  action?: string[];
  actor?: string[];
  role?: string[];
  targetType?: string[];
  target?: { type: string; id: number };
  /** Inclusive. */
  createdAfter?: Date;
  /** Exclusive. */
  createdBefore?: Date;
}

export type Audit = ReturnType<typeof createAudit>;
/** Many notes at once cost one statement. */
export type Noter = (...notes: readonly AuditNote[]) => Promise<void>;

/** Queries over audit events. */
export function createAuditQueries(db: Db) {
  return {
    /** Newest first. */
    async list(
      filter: AuditFilter,
      { take, beforeId, afterId, fromEnd }: PageWindow,
    ): Promise<AuditEventRow[]> {
      const bounds = {
        ...(beforeId === undefined ? {} : { lt: beforeId }),
        ...(afterId === undefined ? {} : { gt: afterId }),
      };
      const rows = await db.auditEvent.findMany({
        where: { AND: [conditions(filter), { id: bounds }] },
        orderBy: { id: fromEnd === true ? 'asc' : 'desc' },
        take,
      });
      return fromEnd === true ? rows.reverse() : rows;
    },

    async get(id: number): Promise<AuditEventRow | null> {
      const [row] = await db.auditEvent.findMany({ where: { id } });
      return row ?? null;
    },

    count: (filter: AuditFilter): Promise<number> => db.auditEvent.count({ where: conditions(filter) }),
  };
}

/**
 * Records who did what, to what, when and from where: in the database, the log and a metric. Rows are never changed,
 * and only removed by their age.
 */
export function createAudit({ db, clock, metrics, log, onChange = () => {} }: AuditDeps) {
  return {
    /**
     * Runs a change and its notes in one transaction: both are committed or neither is.
     *
     * @param outcomeOf finds the outcome of a commit that failed, because only its answer may be missing. It resolves
     *   when the change was committed, and throws when it was not or when that is unknown
     */
    change<T>(
      work: (tx: DbTransaction, note: Noter) => Promise<T>,
      outcomeOf: (error: unknown) => Promise<T> = rethrow,
    ): Promise<T> {
      return noted((note) => inTransaction(db, (tx) => work(tx, note(tx))).catch(outcomeOf)).finally(
        onChange,
      );
    },

    /** The same for changes that free space: it also works on a full disk. */
    removal<T>(work: (tx: DbTransaction, note: Noter) => Promise<T>): Promise<T> {
      return db.fromReserve(() => this.change(work));
    },

    /** Like `note`, before a download; it also works on a full disk. */
    noteReading(note: AuditNote): Promise<void> {
      return db.fromReserve(() => this.note(note));
    },

    /** For actions that change nothing. Call it before the action, so that no action stays unrecorded. */
    note: (note: AuditNote): Promise<void> => noted((noter) => noter(db)(note)),

    ...createAuditQueries(db),

    /** Removes events older than `days`; nothing else removes events. */
    async forget(days: number): Promise<void> {
      const at = { lt: new Date(clock.now().getTime() - days * DAY_MS) };
      const { count } = await db.auditEvent.deleteMany({ where: { at } });
      if (count > 0) log.info({ count, days }, 'audit events removed by their age');
    },
  };

  /** Log and metric are written only after the commit. */
  async function noted<T>(work: (note: (tx: DbTransaction) => Noter) => Promise<T>): Promise<T> {
    const actor = currentActor();
    let rows: Prisma.AuditEventCreateInput[] = [];
    const result = await work((tx) => {
      // A retried transaction collects its notes again.
      rows = [];
      return async (...notes) => {
        const added = notes.map((note) => rowOf(note, actor));
        if (added.length > 0) await tx.auditEvent.createMany({ data: added });
        rows.push(...added);
      };
    });
    for (const row of rows) {
      actor?.audited.set(row.action, (actor.audited.get(row.action) ?? 0) + 1);
      metrics.auditEvents.inc({ action: row.action });
      log.info({ audit: row }, 'audit');
    }
    return result;
  }

  function rowOf({ by, ...note }: AuditNote, actor: Actor | null): Prisma.AuditEventCreateInput {
    return {
      ...note,
      target: note.target?.slice(0, MAX_TARGET_LENGTH) ?? null,
      detail: note.detail?.slice(0, MAX_DETAIL_LENGTH) ?? null,
      at: clock.now(),
      role: actor?.person.kind ?? 'server',
      actor: actor?.person.name ?? 'coredock',
      via: actor?.person.via ?? 'server',
      address: actor?.address ?? null,
      requestId: actor?.requestId ?? null,
      ...by,
    };
  }
}

interface AuditDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  metrics: Pick<Metrics, 'auditEvents'>;
  log: Logger;
  /** Called after each change, and after one whose outcome is unknown. */
  onChange?: () => void;
}

const MAX_TARGET_LENGTH = 200;
const MAX_DETAIL_LENGTH = 1_000;

async function rethrow(error: unknown): Promise<never> {
  throw error;
}

function conditions(filter: AuditFilter): Prisma.AuditEventWhereInput {
  const { action, actor, role, targetType, target, createdAfter, createdBefore } = filter;
  return {
    AND: [
      ...(action === undefined ? [] : [{ action: { in: action } }]),
      ...(actor === undefined ? [] : [{ actor: { in: actor } }]),
      ...(role === undefined ? [] : [{ role: { in: role } }]),
      ...(targetType === undefined ? [] : [{ targetType: { in: targetType } }]),
      ...(target === undefined ? [] : [{ targetType: target.type, targetId: target.id }]),
    ],
    at: {
      ...(createdAfter === undefined ? {} : { gte: createdAfter }),
      ...(createdBefore === undefined ? {} : { lt: createdBefore }),
    },
  };
}
