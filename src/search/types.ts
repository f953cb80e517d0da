/** A word or phrase that must occur. `isPrefix`: its last word may continue in the text. */
export interface SearchTerm {
  words: string[];
  isPrefix: boolean;
  /** The address that the word stands for, as reports write it: `0x00000010` for `0x10`. */
  address?: string;
}

/** What a search finds, in the order in which a search box shows it. */
export const SEARCH_KINDS = ['DEVICE', 'DEVICE_MODEL', 'FIRMWARE', 'CRASH_GROUP', 'COREDUMP'] as const;
export type SearchKind = (typeof SEARCH_KINDS)[number];

/** The first hits of one kind. Their ids are of the rows. */
export interface KindHits {
  kind: SearchKind;
  ids: number[];
  /** At most `MOST_COUNTED`. */
  count: number;
  /** Whether there are more than `count`, or may be. */
  hasMore: boolean;
}

/** Hits are counted up to this number: to count all that a short word finds would take as long as reading them. */
export const MOST_COUNTED = 100;
