import type { ParseStatus } from '../generated/graphql';

const LABELS: Record<ParseStatus, string> = { PENDING: 'Pending', PARSED: 'Parsed', ERROR: 'Error' };

export function StatusBadge({ status }: { status: ParseStatus }) {
  return (
    <span className="status" data-status={status}>
      <span className="dot" aria-hidden="true" />
      {LABELS[status]}
    </span>
  );
}
