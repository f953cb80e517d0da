import { type FormEvent, useEffect, useId, useState } from 'react';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { countText } from '../../parts/sizes';
import { saveBlob } from '../../session/save-as';
import { ImportPreview, Problems } from './import-preview';
import { type Model, ModelChoice, WithoutModels } from './model-choice';
import { type ImportState, type ReadFile, readFile, useDeviceImport } from './use-device-import';

interface ImportDialogProps {
  models: readonly Model[];
  modelCode: string;
  isOpen: boolean;
  onClose: () => void;
}

/** Registers the devices of a CSV file. The whole file is checked and shown before anything is registered. */
export function ImportDialog({ isOpen, onClose, ...form }: ImportDialogProps) {
  return (
    <Dialog title="Import devices" isOpen={isOpen} onClose={onClose}>
      <ImportForm {...form} onClose={onClose} />
    </Dialog>
  );
}

function ImportForm({ models, modelCode, onClose }: Omit<ImportDialogProps, 'isOpen'>) {
  const [file, setFile] = useState<ReadFile | null>(null);
  const { state, start, stop } = useDeviceImport();
  const tokensId = useId();
  const fileId = useId();
  useEffect(() => stop, [stop]);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    if (file === null) return;
    start(file.list.devices, {
      modelCode: String(form.get('model') ?? ''),
      withTokens: form.get('withTokens') !== null,
    });
  }

  if (models.length === 0) return <WithoutModels />;
  if (state.kind !== 'idle') return <ImportProgress state={state} onClose={onClose} />;
  const isReady = file !== null && file.list.problems.length === 0 && file.list.devices.length > 0;
  return (
    <form className="dialog-body" onSubmit={submit}>
      <p>
        A CSV file with the columns <code>serial</code>, <code>key</code> and <code>name</code>; the last two
        may be missing. Devices that are registered already are skipped.
      </p>
      <ModelChoice models={models} modelCode={modelCode} />
      <div className="labelled field">
        <label htmlFor={fileId}>File</label>
        <input
          id={fileId}
          type="file"
          accept=".csv,.tsv,.txt,text/csv"
          required
          onChange={({ target }) => void readFile(target.files?.[0]).then(setFile)}
        />
      </div>
      {file !== null && <ImportPreview file={file} />}
      <fieldset className="choices">
        <legend className="hint">Tokens</legend>
        <label htmlFor={tokensId}>
          <input id={tokensId} type="checkbox" name="withTokens" /> Make a token for each device. Without one,
          devices use an ingest key.
        </label>
      </fieldset>
      <DialogActions
        submit={isReady ? `Register ${countText(file.list.devices.length, 'device')}` : 'Register'}
        onCancel={onClose}
        isDisabled={!isReady}
      />
    </form>
  );
}

function ImportProgress({
  state,
  onClose,
}: {
  state: Exclude<ImportState, { kind: 'idle' }>;
  onClose: () => void;
}) {
  const { created, skipped, problems, total } = state;
  const tokens = created.filter(({ token }) => token !== null);
  return (
    <div className="dialog-body">
      <p role="status">
        {countText(created.length, 'device')} registered, {skipped.toLocaleString('en')} already there
        {state.kind === 'running' && ` of ${total.toLocaleString('en')}…`}
      </p>
      {state.kind === 'running' && (
        <progress max={total} value={created.length + skipped + problems.length} aria-label="Registered" />
      )}
      {state.kind === 'failed' && (
        <p className="notice" data-tone="danger" role="alert">
          {state.message} Import the file again to finish: what is registered is skipped.
        </p>
      )}
      {problems.length > 0 && <Problems problems={problems} />}
      {tokens.length > 0 && state.kind !== 'running' && (
        <>
          <p className="notice" data-tone="warn">
            The tokens are shown only now: the server keeps their hashes. Save the file before you close this.
          </p>
          <button type="button" className="button" onClick={() => saveBlob('tokens.csv', tokenFile(tokens))}>
            Save {countText(tokens.length, 'token')}
          </button>
        </>
      )}
      <div className="dialog-actions">
        <button
          type="button"
          className="button"
          data-tone="primary"
          disabled={state.kind === 'running'}
          onClick={onClose}
        >
          Done
        </button>
      </div>
    </div>
  );
}

function tokenFile(
  devices: ReadonlyArray<{ serial: string | null; key: string; token: string | null }>,
): Blob {
  const lines = devices.map(({ serial, key, token }) => `${serial ?? ''},${key},${token ?? ''}\n`);
  return new Blob(['serial,key,token\n', ...lines], { type: 'text/csv' });
}
