import type { Follower } from '../platform/database/types.js';
import type { ChangeService } from './service.js';

/** The same follower of announcements; each announcement also makes the change feed read. */
export function alsoWaking(
  changes: Pick<ChangeService, 'wake' | 'hasFollowers'>,
  follower: Follower,
): Follower {
  return {
    isWanted: () => changes.hasFollowers() || follower.isWanted(),
    async onChanged(ids) {
      changes.wake();
      if (follower.isWanted()) await follower.onChanged(ids);
    },
  };
}
