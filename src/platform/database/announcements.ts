import type { DbTransaction } from './open-database.js';

/** Tables whose changes can be announced: each has a channel of its own. Their key is a whole number, `id`. */
export const ANNOUNCED_TABLES = ['Coredump', 'CrashGroup'] as const;
export type AnnouncedTable = (typeof ANNOUNCED_TABLES)[number];

/** How the servers on one database tell each other which rows have changed: by their ids, nothing else. */
export interface Announcements {
  /** Part of the transaction that makes the change: the others are told if it commits, and never else. */
  announce(tx: DbTransaction, table: AnnouncedTable, ids: readonly number[]): Promise<void>;
  /**
   * Hears of the changes of other servers from the moment on at which it resolves, and of own ones whose COMMIT was
   * done and the answer lost. After a time in which nothing could be heard the ids of all rows that were changed
   * meanwhile come, own changes among them. To be called once.
   *
   * @throws Error with one clear sentence when nothing can be heard: a pooler stands before the database
   */
  follow(followers: Readonly<Record<AnnouncedTable, Follower>>): Promise<void>;
  /** False while nothing can be heard. */
  isHearing(): boolean;
}

export interface Follower {
  /** False: nobody here wants to know, so nothing needs to be read. */
  isWanted(): boolean;
  /** One call at a time, some hundred ids at most. What it reads is as new as the change. When it rejects they come again. */
  onChanged(ids: readonly number[]): Promise<void>;
}

/** For a database that no other server may use. */
export const NOBODY_ELSE: Announcements = {
  announce: async () => {},
  follow: async () => {},
  isHearing: () => true,
};
