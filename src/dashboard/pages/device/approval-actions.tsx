import { useState } from 'react';
import type { DeviceToActOnFragment } from '../../generated/graphql';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { ApproveDevice, RejectDevice } from '../../parts/decide-devices';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';

/** Lets a device in, or shuts it out. */
export function ApprovalActions({ device: { id, key, name, approval } }: { device: DeviceToActOnFragment }) {
  const [isRejecting, setRejecting] = useState(false);
  const approve = useAction(ApproveDevice);
  const reject = useAction(RejectDevice);
  const { show } = useToasts();

  async function decide({ run }: Pick<typeof approve | typeof reject, 'run'>, done: string) {
    if ((await run({ id })) !== undefined) show({ text: `${name ?? key} is ${done}` });
  }
  return (
    <>
      {approval !== 'APPROVED' && (
        <button
          type="button"
          className="button"
          data-tone="primary"
          onClick={() => void decide(approve, 'approved')}
        >
          Approve
        </button>
      )}
      {approval !== 'REJECTED' && (
        <button type="button" className="button" onClick={() => setRejecting(true)}>
          Reject
        </button>
      )}
      <ConfirmDialog
        title="Reject this device?"
        action="Reject device"
        isOpen={isRejecting}
        onClose={() => setRejecting(false)}
        onConfirm={() => void decide(reject, 'rejected')}
      >
        <p>
          Its uploads are refused (403) from now on. What it sent before stays until the device is deleted.
          You can approve it later.
        </p>
      </ConfirmDialog>
    </>
  );
}
