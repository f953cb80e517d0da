import type { ParseErrorKind, ParseStatus } from '../generated/graphql';

/** How the page shows a dump: one that only waits for its build is no error. */
export type ShownState = ParseStatus | 'WAITING';

const WAITING: readonly ParseErrorKind[] = ['MISSING_FIRMWARE', 'LOST_FIRMWARE'];
const FAILED: readonly ParseErrorKind[] = [
  'LOST_COREDUMP',
  'REMOVED_COREDUMP',
  'UNREADABLE',
  'NO_CRASH',
  'FAILED',
];

export function shownState(dump: {
  parseStatus: ParseStatus;
  parseErrorKind?: ParseErrorKind | null | undefined;
}): ShownState {
  return dump.parseErrorKind != null && WAITING.includes(dump.parseErrorKind) ? 'WAITING' : dump.parseStatus;
}

/** The dumps that are shown as waiting, and those that are shown as errors, as filters of the API. */
export const WAITING_FILTER = { parseErrorKind: [...WAITING] };
export const FAILED_FILTER = { parseErrorKind: [...FAILED] };
