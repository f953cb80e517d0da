import type { FormEvent } from 'react';
import { useLocation } from 'wouter';
import { graphql } from '../../generated';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { useAction } from '../../parts/use-action';

const CreateModel = graphql(`
  mutation CreateModel($input: CreateDeviceModelInput!) {
    createDeviceModel(input: $input) { deviceModel { id code } }
  }
`);

export function CreateModelDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { run, isRunning } = useAction(CreateModel);
  const [, navigate] = useLocation();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const answer = await run({ input: { code: text('code'), name: text('name') } });
    if (answer === undefined) return;
    onClose();
    navigate(`/firmware/${answer.createDeviceModel.deviceModel.code}`);
  }

  return (
    <Dialog title="New model" isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={(event) => void submit(event)}>
        <Field
          label="Name"
          name="name"
          required
          maxLength={200}
          hint="For example: Thermostat, second edition"
        />
        <Field
          label="Code"
          name="code"
          required
          pattern="[a-z0-9_]{1,32}"
          hint="For programs, and for the ELF’s name in a bundle: 1 to 32 of a-z, 0-9 and _"
        />
        <DialogActions submit="Create" isDisabled={isRunning} />
      </form>
    </Dialog>
  );
}
