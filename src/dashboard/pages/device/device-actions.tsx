import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { graphql } from '../../generated';
import type { DeviceToActOnFragment } from '../../generated/graphql';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { useToasts } from '../../parts/toasts';
import { TokenNote } from '../../parts/token-note';
import { useAction } from '../../parts/use-action';
import { ApprovalActions } from './approval-actions';

const RenameDevice = graphql(`
  mutation RenameDevice($input: UpdateDeviceInput!) { updateDevice(input: $input) { device { id name } } }
`);
const RotateToken = graphql(`
  mutation RotateToken($id: ID!) { rotateDeviceToken(input: { id: $id }) { token } }
`);
const RevokeToken = graphql(`
  mutation RevokeToken($id: ID!) { revokeDeviceToken(input: { id: $id }) { device { id } } }
`);
const DeleteDevice = graphql(`
  mutation DeleteDevice($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }
`);

graphql(`
  fragment DeviceToActOn on Device { id key name approval hasToken coredumpCount }
`);

/** The actions on a device. */
export function DeviceActions({ device }: { device: DeviceToActOnFragment }) {
  const [open, setOpen] = useState<'rename' | 'rotate' | 'revoke' | 'delete' | null>(null);
  const [token, setToken] = useState<string | null>(null);
  const rotate = useAction(RotateToken);
  const revoke = useAction(RevokeToken);
  const remove = useAction(DeleteDevice);
  const { show } = useToasts();
  const [, navigate] = useLocation();
  const close = () => setOpen(null);

  async function rotateToken() {
    const answer = await rotate.run({ id: device.id });
    if (answer !== undefined) setToken(answer.rotateDeviceToken.token);
  }
  async function revokeTokens() {
    if ((await revoke.run({ id: device.id })) === undefined) return;
    show({ text: `All tokens of ${device.name ?? device.key} are revoked` });
  }
  async function deleteDevice() {
    if ((await remove.run({ id: device.id })) === undefined) return;
    show({ text: `${device.name ?? device.key} is deleted, with its dumps` });
    navigate('/devices');
  }

  return (
    <div className="actions">
      <ApprovalActions device={device} />
      <button type="button" className="button" onClick={() => setOpen('rename')}>
        Rename
      </button>
      <button type="button" className="button" onClick={() => setOpen('rotate')}>
        New token
      </button>
      {device.hasToken && (
        <button type="button" className="button" onClick={() => setOpen('revoke')}>
          Revoke tokens
        </button>
      )}
      <button type="button" className="button" data-tone="danger" onClick={() => setOpen('delete')}>
        Delete
      </button>
      <RenameDialog device={device} isOpen={open === 'rename'} onClose={close} />
      <ConfirmDialog
        title="New token"
        action="Make a new token"
        isOpen={open === 'rotate'}
        onClose={close}
        onConfirm={() => void rotateToken()}
      >
        <p>
          The old token is accepted for one more day, so that the device can change to the new one; older
          tokens stop working at once.
        </p>
      </ConfirmDialog>
      <ConfirmDialog
        title="Revoke its tokens?"
        action="Revoke tokens"
        isOpen={open === 'revoke'}
        onClose={close}
        onConfirm={() => void revokeTokens()}
      >
        <p>They stop working at once. Uploads with a token are refused until the device has a new one.</p>
      </ConfirmDialog>
      <Dialog title="New token" isOpen={token !== null} onClose={() => setToken(null)}>
        {token !== null && <TokenNote deviceKey={device.key} token={token} />}
      </Dialog>
      <ConfirmDialog
        title="Delete this device?"
        action="Delete device"
        isOpen={open === 'delete'}
        onClose={close}
        onConfirm={() => void deleteDevice()}
      >
        <p>
          {device.coredumpCount === 0
            ? 'It has no dumps.'
            : `Its dumps (${device.coredumpCount}) are deleted with it. That cannot be undone.`}
        </p>
      </ConfirmDialog>
    </div>
  );
}

function RenameDialog({
  device,
  isOpen,
  onClose,
}: {
  device: DeviceToActOnFragment;
  isOpen: boolean;
  onClose: () => void;
}) {
  const rename = useAction(RenameDevice);
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
    const answer = await rename.run({ input: { id: device.id, name: name === '' ? null : name } });
    if (answer !== undefined) onClose();
  }
  return (
    <Dialog title="Rename device" isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={(event) => void submit(event)}>
        <Field
          label="Name"
          name="name"
          defaultValue={device.name ?? ''}
          maxLength={200}
          hint="Empty: its key is shown instead."
        />
        <DialogActions submit="Rename" isDisabled={rename.isRunning} />
      </form>
    </Dialog>
  );
}
