import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { graphql } from '../../generated';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { countText } from '../../parts/sizes';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';

const RenameModel = graphql(`
  mutation RenameModel($input: UpdateDeviceModelInput!) {
    updateDeviceModel(input: $input) { deviceModel { id name } }
  }
`);
const DeleteModel = graphql(`
  mutation DeleteModel($id: ID!) { deleteDeviceModel(input: { id: $id }) { deletedDeviceModelId } }
`);

interface Model {
  id: string;
  name: string;
}

/** The actions on a model. @param buildCount builds that would be deleted with it */
export function ModelActions({ model, buildCount }: { model: Model; buildCount: number }) {
  const [open, setOpen] = useState<'rename' | 'delete' | null>(null);
  const remove = useAction(DeleteModel);
  const { show } = useToasts();
  const [, navigate] = useLocation();
  const close = () => setOpen(null);

  async function deleteModel() {
    // A model with devices is refused, and the server's answer says how many it has.
    if ((await remove.run({ id: model.id })) === undefined) return;
    show({ text: `${model.name} is deleted` });
    navigate('/firmware');
  }

  return (
    <div className="actions">
      <button type="button" className="button" onClick={() => setOpen('rename')}>
        Rename
      </button>
      <button type="button" className="button" data-tone="danger" onClick={() => setOpen('delete')}>
        Delete model
      </button>
      <RenameDialog model={model} isOpen={open === 'rename'} onClose={close} />
      <ConfirmDialog
        title="Delete this model?"
        action="Delete for ever"
        isOpen={open === 'delete'}
        onClose={close}
        onConfirm={() => void deleteModel()}
      >
        <p>
          {buildCount === 0
            ? 'It has no builds.'
            : `Its builds (${countText(buildCount, 'ELF file')}) are deleted with it. That cannot be undone.`}{' '}
          Alerts for this model are switched off. Crashes stay counted. A model that still has devices is not
          deleted.
        </p>
      </ConfirmDialog>
    </div>
  );
}

function RenameDialog({ model, isOpen, onClose }: { model: Model; isOpen: boolean; onClose: () => void }) {
  const rename = useAction(RenameModel);
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
    if ((await rename.run({ input: { id: model.id, name } })) !== undefined) onClose();
  }
  return (
    <Dialog title="Rename model" isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={(event) => void submit(event)}>
        <Field
          label="Name"
          name="name"
          required
          defaultValue={model.name}
          maxLength={200}
          hint="Its code stays: firmware bundles are named by it."
        />
        <DialogActions submit="Rename" isDisabled={rename.isRunning} />
      </form>
    </Dialog>
  );
}
