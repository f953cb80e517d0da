import type { Announcements, DbTransaction, Follower } from '../platform/database/types.js';
import type { EventChannel } from '../platform/event-channel.js';
import type { GroupChange } from './types.js';

/** Changes of groups, published after their commit. They contain ids only: each subscriber reads the current group. */
export interface GroupEvents {
  publish(change: GroupChange): void;
  /** Announces the change to other servers, in the transaction that makes it. */
  announce(tx: DbTransaction, groupIds: readonly number[]): Promise<void>;
  /** Subscribes at the call. Ends when the iterator is returned, and when the server stops. */
  subscribe(filter: { groupId?: number }): AsyncIterableIterator<GroupChange>;
}

export function createGroupEvents(
  channel: EventChannel<GroupChange>,
  announcements: Announcements,
  /** Called for each published change. */
  onChange: () => void = () => {},
): GroupEvents & { follower: Follower } {
  return {
    publish(change) {
      onChange();
      channel.publish(change);
    },
    announce: (tx, groupIds) => announcements.announce(tx, 'CrashGroup', groupIds),
    follower: {
      isWanted: () => channel.subscriberCount() > 0,
      async onChanged(ids) {
        for (const groupId of ids) channel.publish({ groupId, kind: 'changed' });
      },
    },
    subscribe: ({ groupId }) =>
      channel.subscribe((change) => groupId === undefined || change.groupId === groupId),
  };
}
