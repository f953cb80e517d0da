import { CRASH_KINDS, type CrashKind } from '../crashdump/index.js';
import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';

const GROUP_STATES = ['OPEN', 'RESOLVED', 'IGNORED'] as const;
export type GroupState = (typeof GROUP_STATES)[number];

/** What a list of groups can be sorted by. */
export const GROUP_ORDER_FIELDS = [
  'COUNT',
  'DEVICE_COUNT',
  'LAST_SEEN_AT',
  'FIRST_SEEN_AT',
  'VELOCITY',
] as const;
export type GroupOrderField = (typeof GROUP_ORDER_FIELDS)[number];

/** DESC: the highest, or latest, first. */
export interface GroupOrder {
  field: GroupOrderField;
  direction: 'ASC' | 'DESC';
}

type StoredGroup = Prisma.CrashGroupGetPayload<object>;

/** A crash group as lists, loaders and events return it. */
export interface CrashGroupRow extends Omit<StoredGroup, 'state' | 'kind'> {
  state: GroupState;
  kind: CrashKind;
}

export interface CrashGroupFilter {
  /** Ids of merged groups stand for the group that took them in. */
  id?: number[];
  state?: GroupState[];
  kind?: CrashKind[];
  reasonClass?: string[];
  assignee?: string[];
  modelCode?: string[];
  firmwareVersion?: string[];
  chip?: string[];
  deviceKey?: string[];
  fingerprint?: string[];
  /** Builds that stored dumps were parsed with. */
  firmwareId?: number[];
  /** Groups that have one of these tags. */
  tagId?: number[];
  /** Whether somebody is assigned. */
  isAssigned?: boolean;
  /** Crashed again after it was resolved. */
  isRegression?: boolean;
  /** Inclusive. */
  firstSeenAfter?: Date;
  /** Exclusive. */
  firstSeenBefore?: Date;
  /** Inclusive. */
  lastSeenAfter?: Date;
  /** Exclusive. */
  lastSeenBefore?: Date;
  /** All words must occur, in upper or lower case, in title, reason, culprit, assignee or note. */
  search?: string;
}

/** The data of a dump that the counters use. */
export interface Crash {
  deviceId: number;
  modelId: number;
  firmwareVersion: string;
  chip: string;
  at: Date;
}

/**
 * How a group changed: `crash` is one more crash of a known group, `changed` an action of a person. `reopened`: it was
 * ignored until something that has come.
 */
export type GroupChangeKind = 'new' | 'regression' | 'reopened' | 'crash' | 'changed';

export interface GroupChange {
  groupId: number;
  kind: GroupChangeKind;
}

/** The part of alerts that changes without a crash need. */
export interface GroupAlerts {
  /** Writes the alerts for spikes of this hour, in the transaction. @returns whether there are any */
  writeSpikes(tx: DbTransaction, groupIds: readonly number[]): Promise<boolean>;
  /** Called after the commit when there is something to send. */
  wake(): void;
}

/** SQLite has no enums: the columns are text, and become a `GroupState` and a `CrashKind` here. */
export function toGroupRow(stored: StoredGroup): CrashGroupRow {
  const state = GROUP_STATES.find((known) => known === stored.state);
  if (state === undefined) throw new Error(`a crash group has the state "${stored.state}"`);
  // A newer server on the same database may write kinds that this one does not know.
  const kind = CRASH_KINDS.find((known) => known === stored.kind) ?? 'OTHER';
  return { ...stored, state, kind };
}
