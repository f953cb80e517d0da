import type { DeviceApproval } from '../generated/graphql';

const NAMES: Record<DeviceApproval, string> = {
  APPROVED: 'Approved',
  PENDING: 'Waiting for approval',
  REJECTED: 'Rejected',
};

export function ApprovalMark({ approval }: { approval: DeviceApproval }) {
  return (
    <span className="mark" data-state={approval}>
      {NAMES[approval]}
    </span>
  );
}
