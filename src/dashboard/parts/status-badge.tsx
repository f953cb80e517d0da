import type { ShownState } from './parse-state';

const LABELS: Record<Exclude<ShownState, 'PARSED'>, string> = {
  PENDING: 'Pending',
  ERROR: 'Error',
  WAITING: 'Waiting for build',
};

/** What a reader should know of a dump. Most are read: about those it says nothing. */
export function StatusBadge({ status }: { status: ShownState }) {
  if (status === 'PARSED') return null;
  return (
    <span className="status" data-status={status}>
      <span className="dot" aria-hidden="true" />
      {LABELS[status]}
    </span>
  );
}
