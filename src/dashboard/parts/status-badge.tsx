import type { ShownState } from './parse-state';

const LABELS: Record<ShownState, string> = {
  PENDING: 'Pending',
  PARSED: 'Parsed',
  ERROR: 'Error',
  WAITING: 'Waiting for build',
};

export function StatusBadge({ status }: { status: ShownState }) {
  return (
    <span className="status" data-status={status}>
      <span className="dot" aria-hidden="true" />
      {LABELS[status]}
    </span>
  );
}
