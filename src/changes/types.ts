import type { Change } from '../platform/database/change-types.js';

export type { ChangeFilter, Subject } from '../platform/database/change-types.js';

/** What a follower of the change feed gets. */
export type CrashEvent = ChangeEvent | FeedEvent;

export interface ChangeEvent extends Change {
  /** Where the feed continues after this event. */
  cursor: string;
  /** Events that were read together, so that their rows can be read together too. */
  batch: ChangeBatch;
}

export interface ChangeBatch {
  readonly events: readonly ChangeEvent[];
}

/** READY: what was missed has been sent. GAP: some of it is not known any more. */
export interface FeedEvent {
  kind: 'READY' | 'GAP';
  at: Date;
  cursor: string;
}

export function isChange(event: CrashEvent): event is ChangeEvent {
  return 'subject' in event;
}
