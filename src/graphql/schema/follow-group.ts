import type { ChangeService } from '../../changes/service.js';
import type { CrashGroupService } from '../../crash-groups/service.js';
import type { CrashGroupRow } from '../../crash-groups/types.js';
import { notFound } from '../../errors.js';

/**
 * A group as it changes, until it is deleted or merged into another.
 *
 * @throws DomainError NOT_FOUND when the group does not exist
 */
export function followGroup(
  {
    changes,
    crashGroups,
  }: {
    changes: Pick<ChangeService, 'untilDeleted'>;
    crashGroups: Pick<CrashGroupService, 'follow' | 'get'>;
  },
  groupId: number,
): Promise<AsyncIterableIterator<CrashGroupRow>> {
  return changes.untilDeleted('CrashGroup', groupId, async () => {
    if ((await crashGroups.get(groupId)) === null) throw notFound('crash group', groupId, { field: 'id' });
    return crashGroups.follow({ groupId });
  });
}
