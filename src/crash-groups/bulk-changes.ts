import { badInput } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { Announcer } from './announcer.js';
import { changeGroups } from './change-groups.js';
import { type BulkAction, onGroup, onGroupInBulk } from './history.js';
import { checkTriage, type GroupTriage } from './triage.js';
import type { CrashGroupRow } from './types.js';
import { type RefusedUndo, restoreGroups, undoOf } from './undo.js';

/** Changes of many groups at once, and how they are undone. */
export function createBulkChanges({
  clock,
  announcedAll,
}: {
  clock: Pick<Clock, 'now'>;
  announcedAll: Announcer['announcedAll'];
}) {
  return {
    /**
     * Sets the same in many groups, all or none; ids of merged groups stand for the group that took them in.
     * @returns the groups by their first id in `ids`, each once
     * @throws DomainError NOT_FOUND, which names the first id that does not exist; BAD_USER_INPUT
     */
    async update(ids: readonly number[], triage: GroupTriage): Promise<CrashGroupRow[]> {
      checkIds(ids, { max: 100, field: 'ids' });
      const { groups } = await change('updateCrashGroups', ids, triage, 'ids');
      return groups;
    },

    /** The same with more groups, and with what `restore` needs to undo it: a text for each group. */
    async changeMany(
      ids: readonly number[],
      triage: Omit<GroupTriage, 'note' | 'ticketUrl'>,
    ): Promise<{ groups: CrashGroupRow[]; undo: string[] }> {
      checkIds(ids, { max: MAX_GROUPS, field: 'groupIds' });
      return change('changeCrashGroups', ids, triage, 'groupIds');
    },

    /**
     * Undoes `changeMany`. Groups that somebody changed meanwhile stay as they are; the others are restored.
     * @throws DomainError BAD_USER_INPUT
     */
    async restore(undo: readonly string[]): Promise<{ groups: CrashGroupRow[]; refused: RefusedUndo[] }> {
      checkIds(undo, { max: MAX_GROUPS, field: 'groups' });
      return announcedAll(async (tx, note) => {
        const { restored, refused } = await restoreGroups(tx, undo, clock.now());
        await note(
          ...restored.map((group) => onGroup('restoreCrashGroups', group, BACK[group.state])),
          ...refused.map(({ groupId, title, reason }) =>
            onGroup(
              'restoreCrashGroups',
              { id: groupId, title: title ?? `group ${groupId}` },
              `refused: ${reason}`,
            ),
          ),
        );
        return { groups: restored, refused };
      });
    },
  };

  function change(action: BulkAction, ids: readonly number[], triage: GroupTriage, field: string) {
    if (triage.state === undefined && triage.assignee === undefined && triage.note === undefined)
      throw badInput(
        action === 'updateCrashGroups'
          ? 'Nothing would change: set state, assignee or note.'
          : 'Nothing would change: set state or assignee.',
      );
    checkTriage(triage, clock.now());
    return announcedAll(async (tx, note) => {
      const changed = await changeGroups(tx, ids, triage, { now: clock.now(), field });
      const groups = changed.map(({ after }) => after);
      await note(...groups.flatMap((group) => onGroupInBulk(action, group, triage)));
      return { groups, undo: await undoOf(tx, changed, triage) };
    });
  }
}

const MAX_GROUPS = 200;

const BACK = { OPEN: 'REOPENED', RESOLVED: 'RESOLVED', IGNORED: 'IGNORED' } as const;

function checkIds(ids: readonly unknown[], { max, field }: { max: number; field: string }): void {
  if (ids.length === 0) throw badInput('Name at least one group.', { field });
  if (ids.length > max) throw badInput(`At most ${max} groups are changed at once.`, { field });
}
