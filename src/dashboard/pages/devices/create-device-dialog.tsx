import { type FormEvent, useEffect, useState } from 'react';
import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { ErrorNotice } from '../../parts/notices';
import { TokenNote } from '../../parts/token-note';
import { useAction } from '../../parts/use-action';

const ModelsToChoose = graphql(`
  query ModelsToChoose { deviceModels(first: 200) { nodes { id code name } } }
`);
const CreateDevice = graphql(`
  mutation CreateDevice($input: CreateDeviceInput!) { createDevice(input: $input) { device { id key } token } }
`);

/** Registers a device and shows its token once. */
export function CreateDeviceDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const [created, setCreated] = useState<{ key: string; token: string } | null>(null);
  useEffect(() => {
    if (!isOpen) setCreated(null);
  }, [isOpen]);

  return (
    <Dialog title={created === null ? 'New device' : 'Device registered'} isOpen={isOpen} onClose={onClose}>
      {created === null ? (
        <DeviceForm onCreated={setCreated} />
      ) : (
        <TokenNote deviceKey={created.key} token={created.token} />
      )}
    </Dialog>
  );
}

function DeviceForm({ onCreated }: { onCreated: (device: { key: string; token: string }) => void }) {
  const { data, error } = useLiveQuery(ModelsToChoose, {}, () => false);
  const { run, isRunning } = useAction(CreateDevice);
  const models = data?.deviceModels.nodes ?? [];

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const answer = await run({
      input: {
        modelCode: text('model'),
        ...(text('key') === '' ? {} : { key: text('key') }),
        ...(text('serial') === '' ? {} : { serial: text('serial') }),
        ...(text('name') === '' ? {} : { name: text('name') }),
      },
    });
    if (answer !== undefined)
      onCreated({ key: answer.createDevice.device.key, token: answer.createDevice.token });
  }

  if (data !== undefined && models.length === 0) {
    return (
      <div className="dialog-body">
        <p>
          A device belongs to a model: <Link href="/firmware">create one</Link> first.
        </p>
      </div>
    );
  }
  return (
    <form className="dialog-body" onSubmit={(event) => void submit(event)}>
      {data === undefined && error !== undefined && <ErrorNotice error={error} />}
      <div className="labelled field">
        <label htmlFor="new-device-model">Model</label>
        <select id="new-device-model" name="model" required>
          {data === undefined && error === undefined && <option value="">Loading…</option>}
          {models.map(({ code, name }) => (
            <option key={code} value={code}>
              {name} ({code})
            </option>
          ))}
        </select>
      </div>
      <Field label="Name" name="name" maxLength={200} hint="For example its place or its owner. Optional." />
      <Field
        label="Serial"
        name="serial"
        hint="What its maker printed on it. Optional."
        pattern="[A-Za-z0-9._:\-]{1,64}"
      />
      <Field
        label="Key"
        name="key"
        hint="1 to 32 of a-z and 0-9. Empty: a random key."
        pattern="[a-z0-9]{1,32}"
      />
      <DialogActions submit="Register" isDisabled={isRunning || data === undefined} />
    </form>
  );
}
