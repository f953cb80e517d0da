import type { Audit, Noter } from '../audit/service.js';
import { badInput, notFound } from '../errors.js';
import { encodeGlobalId } from '../global-ids.js';
import { readEach } from '../platform/async-iterators.js';
import type { Clock } from '../platform/clock.js';
import type { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import type { GroupEvents } from './events.js';
import {
  assigneeDetail,
  type GroupTriage,
  noteDetail,
  onGroup,
  onGroupInBulk,
  versionDetail,
} from './history.js';
import { mergeGroups, splitGroup } from './merge.js';
import { currentGroupId, takersOf } from './merged-groups.js';
import { createCrashGroupQueries } from './queries.js';
import type { Regrouping, RegroupJob } from './regroup-job.js';
import {
  type CrashGroupRow,
  type GroupAlerts,
  type GroupChange,
  type GroupState,
  toGroupRow,
} from './types.js';

export type CrashGroupService = ReturnType<typeof createCrashGroupService>;

const MAX_ASSIGNEE = 200;
const MAX_NOTE = 10_000;
const MAX_VERSION = 64;
/** Fingerprints of one split, or groups of one merge or bulk change. */
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
      checkVersion(inVersion, 'inVersion');
      const detail = versionDetail(inVersion);
      return change('resolveCrashGroup', id, columnsOf('RESOLVED', inVersion, clock.now()), detail);
    },

    /** Its crashes are counted but raise no alert. @throws DomainError NOT_FOUND */
    ignore: (id: number) => change('ignoreCrashGroup', id, columnsOf('IGNORED', null, clock.now())),

    /** @throws DomainError NOT_FOUND */
    reopen: (id: number) => change('reopenCrashGroup', id, columnsOf('OPEN', null, clock.now())),

    /** @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    async assign(id: number, assignee: string | null): Promise<CrashGroupRow> {
      checkAssignee(assignee);
      return change('assignCrashGroup', id, { assignee }, assigneeDetail(assignee));
    },

    /** @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    async note(id: number, note: string | null): Promise<CrashGroupRow> {
      checkNote(note);
      const kept = noteOf(note);
      return change('noteCrashGroup', id, { note: kept }, noteDetail(kept));
    },

    /**
     * Sets the same in many groups, all or none; ids of merged groups stand for the group that took them in.
     * @returns the groups by their first id in `ids`, each once
     * @throws DomainError NOT_FOUND, which names the first id that does not exist; BAD_USER_INPUT
     */
    async update(ids: readonly number[], triage: GroupTriage): Promise<CrashGroupRow[]> {
      checkTriage(ids, triage);
      const { groups, hasAlerts } = await audit.change(async (tx, note) => {
        const changed = await setInAll(tx, ids, triage);
        const changedIds = changed.map(({ id }) => id);
        await note(...changed.flatMap((group) => onGroupInBulk(group, { ...triage, ...noteIn(triage) })));
        await events.announce(tx, changedIds);
        // An ignored group that is opened may have a spike.
        return { groups: changed, hasAlerts: await alerts.writeSpikes(tx, changedIds) };
      });
      for (const { id } of groups) events.publish({ groupId: id, kind: 'changed' });
      if (hasAlerts) alerts.wake();
      return groups;
    },

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
      let from: CrashGroupRow | undefined;
      const group = await announced(async (tx, note) => {
        const fromId = await currentGroupId(tx, id);
        const parts = await splitGroup(tx, fromId, wanted, clock.now());
        from = parts.from;
        await events.announce(tx, [fromId]);
        const into = `${wanted.join(', ')} into group ${parts.group.id}, ${parts.group.title}`;
        await note(onGroup('splitCrashGroup', parts.from, into));
        await note(onGroup('splitCrashGroup', parts.group, `from group ${fromId}, ${parts.from.title}`));
        return parts.group;
      });
      if (from === undefined) throw new Error('a split without the group that it came from');
      events.publish({ groupId: from.id, kind: 'changed' });
      return { group, from };
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
    columns: Prisma.CrashGroupUpdateManyMutationInput,
    detail?: string,
  ): Promise<CrashGroupRow> {
    return announced(async (tx, note) => {
      const data = { ...columns, updatedAt: clock.now() };
      const set = (groupId: number) => tx.crashGroup.updateManyAndReturn({ where: { id: groupId }, data });
      const [row = (await set(await currentGroupId(tx, id)))[0]] = await set(id);
      if (row === undefined) throw notFound('crash group', id, { field: 'id' });
      const group = toGroupRow(row);
      await note(onGroup(action, group, detail));
      return group;
    });
  }

  async function setInAll(
    tx: DbTransaction,
    ids: readonly number[],
    triage: GroupTriage,
  ): Promise<CrashGroupRow[]> {
    const takers = await takersOf(tx, ids);
    const currentOf = (id: number) => takers.get(id) ?? id;
    const wanted = [...new Set(ids.map(currentOf))];
    const { state, resolvedInVersion = null, assignee } = triage;
    const now = clock.now();
    const rows = await tx.crashGroup.updateManyAndReturn({
      where: { id: { in: wanted } },
      data: {
        ...(state === undefined ? {} : columnsOf(state, resolvedInVersion, now)),
        ...(assignee === undefined ? {} : { assignee }),
        ...noteIn(triage),
        updatedAt: now,
      },
    });
    const changed = new Map(rows.map((row) => [row.id, toGroupRow(row)]));
    const unknown = ids.find((id) => !changed.has(currentOf(id)));
    if (unknown !== undefined)
      throw notFound('crash group', encodeGlobalId('CrashGroup', unknown), { field: 'ids' });
    return wanted.flatMap((id) => changed.get(id) ?? []);
  }

  async function announced(
    work: (tx: DbTransaction, note: Noter) => Promise<CrashGroupRow>,
  ): Promise<CrashGroupRow> {
    const { group, hasAlerts } = await audit.change(async (tx, note) => {
      const changed = await work(tx, note);
      await events.announce(tx, [changed.id]);
      return { group: changed, hasAlerts: await alerts.writeSpikes(tx, [changed.id]) };
    });
    events.publish({ groupId: group.id, kind: 'changed' });
    if (hasAlerts) alerts.wake();
    return group;
  }
}

/** The state, and what belongs to it. A person who sets a state has seen that the group had regressed. */
function columnsOf(state: GroupState, inVersion: string | null, now: Date) {
  const isResolved = state === 'RESOLVED';
  return {
    state,
    resolvedAt: isResolved ? now : null,
    resolvedInVersion: isResolved ? inVersion : null,
    regressedAt: null,
    regressedInVersion: null,
  };
}

/** A note of blanks is none. */
function noteOf(note: string | null): string | null {
  return note === null || note.trim() === '' ? null : note;
}

function noteIn({ note }: GroupTriage): { note?: string | null } {
  return note === undefined ? {} : { note: noteOf(note) };
}

function checkTriage(
  ids: readonly number[],
  { state, resolvedInVersion, assignee, note }: GroupTriage,
): void {
  if (ids.length === 0) throw badInput('Name at least one group.', { field: 'ids' });
  if (ids.length > MAX_AT_ONCE)
    throw badInput(`At most ${MAX_AT_ONCE} groups are changed at once.`, { field: 'ids' });
  if (state === undefined && assignee === undefined && note === undefined)
    throw badInput('Nothing would change: set state, assignee or note.');
  if (resolvedInVersion != null && state !== 'RESOLVED')
    throw badInput('resolvedInVersion belongs to the state RESOLVED.', { field: 'resolvedInVersion' });
  checkVersion(resolvedInVersion ?? null, 'resolvedInVersion');
  checkAssignee(assignee ?? null);
  checkNote(note ?? null);
}

function checkVersion(version: string | null, field: string): void {
  if (version !== null && (version.trim() === '' || version.length > MAX_VERSION))
    throw badInput(`A version is 1 to ${MAX_VERSION} characters; omit it for "the next version".`, { field });
}

function checkAssignee(assignee: string | null): void {
  if (assignee !== null && (assignee.trim() === '' || assignee.length > MAX_ASSIGNEE))
    throw badInput(`An assignee is 1 to ${MAX_ASSIGNEE} characters, or null for nobody.`, {
      field: 'assignee',
    });
}

function checkNote(note: string | null): void {
  if (note !== null && note.length > MAX_NOTE)
    throw badInput(`A note has at most ${MAX_NOTE} characters.`, { field: 'note' });
}

interface CrashGroupServiceDeps {
  db: Db;
  events: GroupEvents;
  regroup: Pick<RegroupJob, 'progress' | 'restart'>;
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change'>;
  alerts: GroupAlerts;
}
