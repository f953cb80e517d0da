import type { Prisma } from './generated/sqlite/client.js';

/** What a change can be about: the tables with the triggers of the migration `changes`. */
export const SUBJECTS = ['Coredump', 'CrashGroup', 'Device', 'Firmware', 'DeviceModel'] as const;
export type Subject = (typeof SUBJECTS)[number];

export type ChangeKind = 'ARRIVED' | 'CHANGED' | 'DELETED';

/** What happened to one thing within a span, however often it changed. */
export interface Change {
  subject: Subject;
  subjectId: number;
  /** The device itself, or the device of the dump; null for other subjects. */
  deviceId: number | null;
  /** DELETED if it was deleted, else ARRIVED if it arrived within the span, else CHANGED. */
  kind: ChangeKind;
  /** Of the last change, by the clock of the database. */
  at: Date;
  /** Of the last change. Changes are read in the order of these numbers. */
  lastId: number;
}

/** Fields that are absent do not filter. With several ids, changes of any of them. */
export interface ChangeFilter {
  subjects?: readonly Subject[];
  coredumpId?: number;
  /** The device and its dumps. */
  deviceId?: number;
  crashGroupId?: number;
}

/** A place in the log, as text: everything before it was committed. It can be stored and compared. */
export type Position = string;

/** The span from one position to a later one, behind the change with the number `afterId`. */
export interface Span {
  from: Position;
  to: Position;
  afterId: number;
}

/**
 * The log of changes in the database. Triggers write it in the transaction of each change, so it has every change that
 * was committed, and no other.
 */
export interface ChangeLog {
  /** Identifies the log; the log of every other database has another identity. */
  identity(): Promise<string>;
  now(): Promise<Position>;
  /** Each thing that changed within the span once, `take` at most. */
  read(span: Span, filter: ChangeFilter, take: number): Promise<Change[]>;
  /**
   * Whether all changes since the position are in the log: false when some were removed by their age, or when the
   * position is not of the history of this database, which was restored from a copy. Ask it after `read`.
   */
  isComplete(since: Position): Promise<boolean>;
  isPosition(text: string): boolean;
  /** Removes changes of before a moment, and all but the newest `keep`. @returns how many */
  prune(limits: { before: Date; keep: number }): Promise<number>;
}

/** What differs between the databases: the order of commits. */
export interface LogDialect {
  now: Prisma.Sql;
  isPosition(text: string): boolean;
  /** The condition for rows `c` of a span. */
  within(from: Position, to: Position): Prisma.Sql;
  /** Whether all changes with these numbers were committed before the position. */
  isAfter(position: Position, pruned: { id: string; tx: string }): boolean;
  isBeyond(position: Position, now: Position): boolean;
  /** The condition for rows that another database wrote, from which this one was filled. */
  foreign: Prisma.Sql | null;
}

/** The same filter for changes that were already read. */
export function isWanted(
  { subjects, coredumpId, deviceId, crashGroupId }: ChangeFilter,
  change: Pick<Change, 'subject' | 'subjectId' | 'deviceId'>,
): boolean {
  if (subjects !== undefined && !subjects.includes(change.subject)) return false;
  if (coredumpId === undefined && deviceId === undefined && crashGroupId === undefined) return true;
  const { subject, subjectId } = change;
  return (
    (coredumpId !== undefined && subject === 'Coredump' && subjectId === coredumpId) ||
    (deviceId !== undefined && change.deviceId === deviceId) ||
    (crashGroupId !== undefined && subject === 'CrashGroup' && subjectId === crashGroupId)
  );
}
