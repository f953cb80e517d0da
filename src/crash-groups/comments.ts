import { hasRole, identityOf, type Person } from '../auth/principal.js';
import { badInput, DomainError, notFound } from '../errors.js';
import { encodeGlobalId } from '../global-ids.js';
import type { Clock } from '../platform/clock.js';
import { StaleRead } from '../platform/database/errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import { activityBy, type GroupActivityRow, MAX_ACTIVITY_TEXT, toActivityRow } from './activity.js';
import type { Announcer } from './announcer.js';
import { onGroup } from './history.js';
import { currentGroupId } from './merged-groups.js';
import { type CrashGroupRow, toGroupRow } from './types.js';

export function isByPerson({ actorId }: Pick<GroupActivityRow, 'actorId'>, person: Person): boolean {
  return actorId === identityOf(person);
}

/** What people say about groups. The audit says who commented, but not what: a deleted comment is gone. */
export function createGroupComments({
  clock,
  announcedAll,
}: {
  clock: Pick<Clock, 'now'>;
  announcedAll: Announcer['announcedAll'];
}) {
  return {
    /** @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    async add(groupId: number, text: string, person: Person) {
      const said = checked(text);
      return announcedAll(async (tx, note) => {
        const at = clock.now();
        const group = await touch(tx, await currentGroupId(tx, groupId), at);
        if (group === null)
          throw notFound('crash group', encodeGlobalId('CrashGroup', groupId), { field: 'groupId' });
        const row = await tx.groupActivity.create({
          data: { groupId: group.id, kind: 'COMMENT', at, text: said, ...activityBy(person) },
        });
        await note(onGroup('addGroupComment', group));
        return { groups: [group], group, comment: toActivityRow(row) };
      });
    },

    /** @throws DomainError NOT_FOUND, BAD_USER_INPUT; FORBIDDEN for the comment of another person */
    async edit(id: number, text: string, person: Person) {
      const said = checked(text);
      return announcedAll(async (tx, note) => {
        const editedAt = clock.now();
        const { group, comment } = await lockComment(tx, id, editedAt);
        if (!isByPerson(comment, person)) throw forbidden('Only its author may change a comment.');
        const row = await tx.groupActivity.update({ where: { id }, data: { text: said, editedAt } });
        await note(onGroup('editGroupComment', group));
        return { groups: [group], group, comment: toActivityRow(row) };
      });
    },

    /** @throws DomainError NOT_FOUND; FORBIDDEN for the comment of another person, unless `person` is an admin */
    async delete(id: number, person: Person) {
      return announcedAll(async (tx, note) => {
        const { group, comment } = await lockComment(tx, id, clock.now());
        if (!isByPerson(comment, person) && !hasRole(person, 'admin'))
          throw forbidden('Only its author or an admin may delete a comment.');
        await tx.groupActivity.delete({ where: { id }, select: { id: true } });
        await note(onGroup('deleteGroupComment', group, `the comment of ${comment.actor ?? 'nobody'}`));
        return { groups: [group], group, id };
      });
    },
  };
}

/** The group is locked before its comment, as everywhere. */
async function lockComment(tx: DbTransaction, id: number, at: Date) {
  const seen = await findComment(tx, id);
  const group = seen === null ? null : await touch(tx, seen.groupId, at);
  if (seen === null) throw notFound('comment', encodeGlobalId('GroupActivity', id), { field: 'id' });
  const comment = await findComment(tx, id);
  if (group === null || comment?.groupId !== group.id)
    throw new StaleRead('the comment moved to another group, or was deleted');
  return { group, comment };
}

function findComment(tx: DbTransaction, id: number) {
  return tx.groupActivity.findFirst({ where: { id, kind: 'COMMENT' } });
}

/** Locks the group, and tells its subscribers. */
async function touch(tx: DbTransaction, id: number, at: Date): Promise<CrashGroupRow | null> {
  const data = { activityAt: at, updatedAt: at };
  const [row] = await tx.crashGroup.updateManyAndReturn({ where: { id }, data });
  return row === undefined ? null : toGroupRow(row);
}

/** @throws DomainError BAD_USER_INPUT */
function checked(text: string): string {
  const said = text.replaceAll('\r\n', '\n').trim();
  if (said === '' || said.length > MAX_ACTIVITY_TEXT)
    throw badInput(`A comment has 1 to ${MAX_ACTIVITY_TEXT.toLocaleString('en')} characters.`, {
      field: 'text',
    });
  return said;
}

function forbidden(message: string): DomainError {
  return new DomainError('FORBIDDEN', message, { field: 'id' });
}
