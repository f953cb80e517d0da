import type { EventChannel } from '../platform/events.js';
import type { GroupChange } from './types.js';

/** What changed, after the commit that changed it. Ids only: who is told reads the group as it is then. */
export interface GroupEvents {
  publish(change: GroupChange): void;
  /** Listens from this call on. Ends when the iterator is returned, and when the server stops. */
  subscribe(filter: { groupId?: number }): AsyncIterableIterator<GroupChange>;
}

export function createGroupEvents(channel: EventChannel<GroupChange>): GroupEvents {
  return {
    publish: channel.publish,
    subscribe: ({ groupId }) =>
      channel.subscribe((change) => groupId === undefined || change.groupId === groupId),
  };
}
