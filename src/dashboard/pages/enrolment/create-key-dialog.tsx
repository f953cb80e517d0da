import { type FormEvent, useEffect, useState } from 'react';
import { graphql } from '../../generated';
import { CodeBlock } from '../../parts/code-block';
import { bootCurlLine, sdkconfigLines } from '../../parts/command-examples';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { useAction } from '../../parts/use-action';
import { type Model, ModelChoice, WithoutModels } from './model-choice';

const CreateIngestKey = graphql(`
  mutation CreateIngestKey($input: CreateIngestKeyInput!) {
    createIngestKey(input: $input) { key ingestKey { id requiresApproval } }
  }
`);

const NEW_DEVICES_PER_HOUR = 100;

interface CreateKeyDialogProps {
  models: readonly Model[];
  /** Chosen at first; empty: the first one. */
  modelCode: string;
  isOpen: boolean;
  onClose: () => void;
}

/** Makes an ingest key, and shows it once with the lines that bring it into the firmware. */
export function CreateKeyDialog({ isOpen, onClose, ...form }: CreateKeyDialogProps) {
  const [key, setKey] = useState<string | null>(null);
  useEffect(() => {
    if (!isOpen) setKey(null);
  }, [isOpen]);

  return (
    <Dialog title={key === null ? 'New ingest key' : 'Ingest key made'} isOpen={isOpen} onClose={onClose}>
      {key === null ? <KeyForm {...form} onCreated={setKey} /> : <KeyNote ingestKey={key} />}
    </Dialog>
  );
}

function KeyForm({
  models,
  modelCode,
  onCreated,
}: Pick<CreateKeyDialogProps, 'models' | 'modelCode'> & { onCreated: (key: string) => void }) {
  const { run, isRunning } = useAction(CreateIngestKey);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const answer = await run({
      input: {
        modelCode: String(form.get('model') ?? ''),
        name: String(form.get('name') ?? '').trim(),
        newDevicesPerHour: Number(form.get('newDevicesPerHour')),
        requiresApproval: form.get('requiresApproval') !== null,
      },
    });
    if (answer !== undefined) onCreated(answer.createIngestKey.key);
  }

  if (models.length === 0) return <WithoutModels />;
  return (
    <form className="dialog-body" onSubmit={(event) => void submit(event)}>
      <ModelChoice models={models} modelCode={modelCode} />
      <Field
        label="Name"
        name="name"
        required
        maxLength={200}
        pattern=".*\S.*"
        hint="For people: a product line, a batch, a factory."
      />
      <Field
        label="New devices per hour"
        name="newDevicesPerHour"
        type="number"
        required
        min={1}
        max={1_000_000}
        defaultValue={NEW_DEVICES_PER_HOUR}
        hint="Further unknown serials are refused until the hour is over. Known devices are not limited."
      />
      <fieldset className="choices">
        <legend className="hint">Approval</legend>
        <label>
          <input type="checkbox" name="requiresApproval" /> An admin must approve each new device
        </label>
      </fieldset>
      <DialogActions submit="Make the key" isDisabled={isRunning} />
    </form>
  );
}

function KeyNote({ ingestKey }: { ingestKey: string }) {
  return (
    <div className="dialog-body">
      <p>The key is shown only now: the server keeps a hash of it. Copy it before you close this.</p>
      <CodeBlock label="Key" text={ingestKey} />
      <CodeBlock label="sdkconfig.defaults of the firmware" text={sdkconfigLines(ingestKey)} />
      <CodeBlock label="A first test, in a shell" text={bootCurlLine({ ingestKey })} />
      <p className="hint">
        The test registers a device with the serial TEST-1, which appears on this page. Delete it afterwards.
      </p>
    </div>
  );
}
