import {
  ALL_RESET_REASONS,
  RESET_COLUMNS,
  RESET_REASONS,
  type ResetKind,
  type ResetReason,
} from './reset-reasons.js';

/** How often a run ended by each reason, by the names of the counters in `DeviceDay`. */
export type ResetCounts = Record<(typeof RESET_COLUMNS)[number], number>;

export const NO_RESETS = Object.fromEntries(RESET_COLUMNS.map((column) => [column, 0])) as ResetCounts;

export interface CountedReset {
  reason: ResetReason;
  count: number;
}

/** Those that happened, the most frequent first. */
export function resetsIn(counts: ResetCounts): CountedReset[] {
  return ALL_RESET_REASONS.map((reason) => ({ reason, count: counts[RESET_REASONS[reason].column] }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

/** How many were of a kind; of any without one. */
export function countResets(counts: ResetCounts, kind?: ResetKind): number {
  return ALL_RESET_REASONS.filter((reason) => kind === undefined || RESET_REASONS[reason].kind === kind)
    .map((reason) => counts[RESET_REASONS[reason].column])
    .reduce((sum, count) => sum + count, 0);
}

/** Sums are big integers in PostgreSQL. @param of has the names */
export function numbersOf<Counts extends object>(row: object, of: Counts): Counts {
  const values = Object.keys(of).map((name) => [name, Number((row as Record<string, unknown>)[name] ?? 0)]);
  return Object.fromEntries(values) as Counts;
}
