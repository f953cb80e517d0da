import type { Audit, AuditNote, Noter } from '../audit/service.js';
import { badInput, notFound } from '../errors.js';
import { readEach } from '../platform/async-iterators.js';
import type { Clock } from '../platform/clock.js';
import type { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import type { GroupEvents } from './events.js';
import { mergeGroups, splitGroup } from './merge.js';
import { createCrashGroupQueries } from './queries.js';
import type { Regrouping, RegroupJob } from './regroup-job.js';
import { type CrashGroupRow, type GroupAlerts, type GroupChange, toGroupRow } from './types.js';

export type CrashGroupService = ReturnType<typeof createCrashGroupService>;

const MAX_ASSIGNEE = 200;
const MAX_NOTE = 10_000;
const MAX_VERSION = 64;
/** Fingerprints of one split, or groups of one merge. */
const MAX_AT_ONCE = 100;

/** Actions of people on crash groups, and reads and subscriptions. */
export function createCrashGroupService({
  db,
  events,
  clock,
  audit,
  regroup,
  alerts,
}: CrashGroupServiceDeps) {
  const readings = new WeakMap<GroupChange, Promise<CrashGroupRow | null>>();
  return {
    ...createCrashGroupQueries(db, clock),
    events,
    /** Progress of the regrouping after the recipe of fingerprints has changed. */
    regrouping: (): Promise<Regrouping | null> => regroup.progress(),

    /** Regroups all dumps again from the beginning, in the background. */
    regroupAll: (): Promise<Regrouping> =>
      regroup.restart((begin) =>
        audit.change(async (tx, note) => {
          const run = await begin(tx);
          await note({ action: 'regroupCrashes', target: `fingerprints ${run.fingerprintVersion}` });
          return run;
        }),
      ),

    /**
     * Groups as they change; each change is read once for all followers. A group that was deleted meanwhile is
     * skipped.
     */
    follow(filter: { groupId?: number }): AsyncIterableIterator<CrashGroupRow> {
      return readEach(events.subscribe(filter), readOnce);
    },

    get,

    /**
     * @param inVersion the version with the fix; null means the next one, whatever its name
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT
     */
    async resolve(id: number, inVersion: string | null): Promise<CrashGroupRow> {
      if (inVersion !== null && (inVersion.trim() === '' || inVersion.length > MAX_VERSION)) {
        throw badInput(`A version is 1 to ${MAX_VERSION} characters; omit it for "the next version".`, {
          field: 'inVersion',
        });
      }
      return change('resolveCrashGroup', id, {
        state: 'RESOLVED',
        resolvedAt: clock.now(),
        resolvedInVersion: inVersion,
        ...NOT_REGRESSED,
      });
    },

    /** Its crashes are counted but raise no alert. @throws DomainError NOT_FOUND */
    ignore: (id: number) =>
      change('ignoreCrashGroup', id, { state: 'IGNORED', ...NOT_RESOLVED, ...NOT_REGRESSED }),

    /** @throws DomainError NOT_FOUND */
    reopen: (id: number) =>
      change('reopenCrashGroup', id, { state: 'OPEN', ...NOT_RESOLVED, ...NOT_REGRESSED }),

    /** @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    async assign(id: number, assignee: string | null): Promise<CrashGroupRow> {
      if (assignee !== null && (assignee.trim() === '' || assignee.length > MAX_ASSIGNEE)) {
        throw badInput(`An assignee is 1 to ${MAX_ASSIGNEE} characters, or null for nobody.`, {
          field: 'assignee',
        });
      }
      return change('assignCrashGroup', id, { assignee });
    },

    /** @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    async note(id: number, note: string | null): Promise<CrashGroupRow> {
      if (note !== null && note.length > MAX_NOTE)
        throw badInput(`A note has at most ${MAX_NOTE} characters.`, { field: 'note' });
      return change('noteCrashGroup', id, { note: note?.trim() === '' ? null : note });
    },

    /**
     * Moves the groups `ids` into `intoId`, which keeps its state, note and assignee. New crashes with their
     * fingerprints join it too. When the crashes of this hour reach a spike only together, an alert is written.
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT; CONFLICT when one of them was merged into another at the same time
     */
    async merge(intoId: number, ids: readonly number[]): Promise<CrashGroupRow> {
      const others = [...new Set(ids)].filter((id) => id !== intoId);
      if (others.length === 0) throw badInput('Name at least one other group to merge.', { field: 'ids' });
      if (others.length > MAX_AT_ONCE)
        throw badInput(`At most ${MAX_AT_ONCE} groups are merged at once.`, { field: 'ids' });
      return announced(async (tx, note) => {
        const merged = await mergeGroups(tx, intoId, others);
        // Names all merged groups: afterwards no row names them.
        const target = `${merged.title}, and groups ${others.join(', ')}`;
        await note({ ...onGroup('mergeCrashGroups', merged), target });
        return merged;
      });
    },

    /**
     * Moves fingerprints of a group to a new one, with everything that was counted for them, deleted dumps included.
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT when the group lacks one of them or has no others; CONFLICT when a
     *   fingerprint is in another group now
     */
    async split(id: number, fingerprints: readonly string[]): Promise<CrashGroupRow> {
      const wanted = [...new Set(fingerprints)];
      if (wanted.length === 0)
        throw badInput('Name at least one fingerprint to move.', { field: 'fingerprints' });
      if (wanted.length > MAX_AT_ONCE)
        throw badInput(`At most ${MAX_AT_ONCE} fingerprints are moved at once.`, { field: 'fingerprints' });
      const made = await announced(async (tx, note) => {
        const split = await splitGroup(tx, id, wanted);
        await events.announce(tx, [id]);
        const target = `${wanted.join(', ')} into group ${split.id}, ${split.title}`;
        await note({ ...onGroup('splitCrashGroup', { ...split, id }), target });
        return split;
      });
      events.publish({ groupId: id, kind: 'changed' });
      return made;
    },
  };

  function readOnce(change: GroupChange): Promise<CrashGroupRow | null> {
    const known = readings.get(change);
    if (known !== undefined) return known;
    const reading = get(change.groupId);
    readings.set(change, reading);
    reading.catch(() => readings.delete(change));
    return reading;
  }

  async function get(id: number): Promise<CrashGroupRow | null> {
    const row = await db.crashGroup.findUnique({ where: { id } });
    return row === null ? null : toGroupRow(row);
  }

  async function change(
    action: string,
    id: number,
    data: Prisma.CrashGroupUpdateManyMutationInput,
  ): Promise<CrashGroupRow> {
    return announced(async (tx, note) => {
      const [row] = await tx.crashGroup.updateManyAndReturn({ where: { id }, data });
      if (row === undefined) throw notFound('crash group', id, { field: 'id' });
      await note(onGroup(action, row));
      return toGroupRow(row);
    });
  }

  async function announced(
    work: (tx: DbTransaction, note: Noter) => Promise<CrashGroupRow>,
  ): Promise<CrashGroupRow> {
    const { group, hasAlerts } = await audit.change(async (tx, note) => {
      const changed = await work(tx, note);
      await events.announce(tx, [changed.id]);
      return { group: changed, hasAlerts: await alerts.writeSpikes(tx, changed.id) };
    });
    events.publish({ groupId: group.id, kind: 'changed' });
    if (hasAlerts) alerts.wake();
    return group;
  }
}

function onGroup(action: string, { id, title }: Pick<CrashGroupRow, 'id' | 'title'>): AuditNote {
  return { action, targetType: 'CrashGroup', targetId: id, target: title };
}

const NOT_RESOLVED = { resolvedAt: null, resolvedInVersion: null };
const NOT_REGRESSED = { regressedAt: null, regressedInVersion: null };

interface CrashGroupServiceDeps {
  db: Db;
  events: GroupEvents;
  regroup: Pick<RegroupJob, 'progress' | 'restart'>;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
  alerts: GroupAlerts;
}
