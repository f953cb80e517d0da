import type { Audit } from '../audit/service.js';
import { badInput } from '../errors.js';
import { readEach } from '../platform/async-iterators.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import { createAnnouncer } from './announcer.js';
import { createBulkChanges } from './bulk-changes.js';
import { changeGroups } from './change-groups.js';
import { createGroupComments } from './comments.js';
import type { GroupEvents } from './events.js';
import { assigneeDetail, ignoreDetail, noteDetail, onGroup, versionDetail } from './history.js';
import type { IgnoreUntil } from './ignore-until.js';
import { mergeGroups, splitGroup } from './merge.js';
import { currentGroupId } from './merged-groups.js';
import { createCrashGroupQueries } from './queries.js';
import type { Regrouping, RegroupJob } from './regroup-job.js';
import { checkTriage, type GroupTriage, noteOf } from './triage.js';
import { type CrashGroupRow, type GroupAlerts, type GroupChange, toGroupRow } from './types.js';

export type CrashGroupService = ReturnType<typeof createCrashGroupService>;

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
  const { announcedAll, announced } = createAnnouncer({ audit, events, alerts });
  return {
    ...createCrashGroupQueries(db, clock),
    ...createBulkChanges({ clock, announcedAll }),
    comments: createGroupComments({ clock, announcedAll }),
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
    resolve: (id: number, inVersion: string | null) =>
      change('resolveCrashGroup', id, RESOLVED(inVersion), versionDetail(inVersion), 'inVersion'),

    /**
     * Its crashes are counted but raise no alert.
     * @param until what ends it; null: a person
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT
     */
    ignore: (id: number, until: IgnoreUntil | null = null) =>
      change('ignoreCrashGroup', id, { state: 'IGNORED', ignoreUntil: until }, ignoreDetail(until), 'until'),

    /** @throws DomainError NOT_FOUND */
    reopen: (id: number) => change('reopenCrashGroup', id, { state: 'OPEN' }),

    /** @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    assign: (id: number, assignee: string | null) =>
      change('assignCrashGroup', id, { assignee }, assigneeDetail(assignee)),

    /** @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    note: (id: number, note: string | null) =>
      change('noteCrashGroup', id, { note }, noteDetail(noteOf(note))),

    /** @param ticketUrl an https address; null: none. @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    linkTicket: (id: number, ticketUrl: string | null) =>
      change('linkCrashGroupTicket', id, { ticketUrl }, ticketUrl ?? 'removed'),

    /**
     * Moves the groups `ids` into `intoId`, which keeps its state, note and assignee. New crashes with their
     * fingerprints join it too, and their ids answer with it. When the crashes of this hour reach a spike only together, an alert is written.
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT; CONFLICT when one of them was merged into another before
     */
    async merge(intoId: number, ids: readonly number[]): Promise<CrashGroupRow> {
      const others = [...new Set(ids)].filter((id) => id !== intoId);
      if (others.length === 0) throw badInput('Name at least one other group to merge.', { field: 'ids' });
      if (others.length > MAX_AT_ONCE)
        throw badInput(`At most ${MAX_AT_ONCE} groups are merged at once.`, { field: 'ids' });
      return announced(async (tx, note) => {
        const merged = await mergeGroups(tx, intoId, others, clock.now());
        await note(onGroup('mergeCrashGroups', merged, `with groups ${others.join(', ')}`));
        return merged;
      });
    },

    /**
     * Moves fingerprints of a group out of it, with everything that was counted for them, deleted dumps included: into
     * a new group, or into the one that all of them came from by a merge, which is there again as it was left.
     * @returns that group, and the group that they were in
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT when the group lacks one of them or has no others; CONFLICT when a
     *   fingerprint is in another group now
     */
    async split(
      id: number,
      fingerprints: readonly string[],
    ): Promise<{ group: CrashGroupRow; from: CrashGroupRow }> {
      const wanted = [...new Set(fingerprints)];
      if (wanted.length === 0)
        throw badInput('Name at least one fingerprint to move.', { field: 'fingerprints' });
      if (wanted.length > MAX_AT_ONCE)
        throw badInput(`At most ${MAX_AT_ONCE} fingerprints are moved at once.`, { field: 'fingerprints' });
      return announcedAll(async (tx, note) => {
        const fromId = await currentGroupId(tx, id);
        const { group, from } = await splitGroup(tx, fromId, wanted, clock.now());
        await note(
          onGroup('splitCrashGroup', from, `${wanted.join(', ')} into group ${group.id}, ${group.title}`),
          onGroup('splitCrashGroup', group, `from group ${fromId}, ${from.title}`),
        );
        return { groups: [group, from], group, from };
      });
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

  /** @param field the input with what belongs to the state, if it has another name than in the triage */
  async function change(
    action: string,
    id: number,
    triage: GroupTriage,
    detail?: string,
    field?: string,
  ): Promise<CrashGroupRow> {
    checkTriage(triage, clock.now(), (part) => field ?? part);
    return announced(async (tx, note) => {
      const [changed] = await changeGroups(tx, [id], triage, { now: clock.now(), field: 'id' });
      if (changed === undefined) throw new Error('a change of one group changed none');
      await note(onGroup(action, changed.after, detail));
      return changed.after;
    });
  }
}

const RESOLVED = (resolvedInVersion: string | null): GroupTriage => ({
  state: 'RESOLVED',
  resolvedInVersion,
});

interface CrashGroupServiceDeps {
  db: Db;
  events: GroupEvents;
  regroup: Pick<RegroupJob, 'progress' | 'restart'>;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
  alerts: GroupAlerts;
}
