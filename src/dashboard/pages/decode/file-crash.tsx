import { type FormEvent, useContext, useState } from 'react';
import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { DecodedReportFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { useAction } from '../../parts/use-action';
import { RoleContext } from '../../session/role';
import { DeviceChoice } from './device-choice';
import { ModelSelect } from './model-select';

const UploadCrash = graphql(`
  mutation UploadCrash($input: UploadCrashInput!) {
    uploadCrash(input: $input) { coredump { id } device { id key name } }
  }
`);

interface FileCrashProps {
  crash: File;
  report: DecodedReportFragment;
  /** Of the build that it was read with. */
  version: string | null;
  modelCode?: string | undefined;
}

/** Stores the crash for a device, as if the device had sent it. */
export function FileCrash(props: FileCrashProps) {
  const [isOpen, setOpen] = useState(false);
  const isAdmin = useContext(RoleContext) === 'admin';
  if (props.report.warnings.some(({ code }) => code === 'NO_CRASH')) return null;
  if (!isAdmin) {
    return <p className="hint">To file it under a device is for admins: you have signed in as a viewer.</p>;
  }
  return (
    <>
      <button type="button" className="button" data-tone="primary" onClick={() => setOpen(true)}>
        File it under a device…
      </button>
      <Dialog title="File it under a device" isOpen={isOpen} onClose={() => setOpen(false)}>
        <FileForm {...props} />
      </Dialog>
    </>
  );
}

function FileForm({ crash, report, version, modelCode }: FileCrashProps) {
  const [which, setWhich] = useState<'known' | 'serial'>('known');
  const [model, setModel] = useState(modelCode ?? '');
  const [stored, setStored] = useState<{ id: string; device: string } | null>(null);
  const { run, isRunning } = useAction(UploadCrash, { sendsFile: true });

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || null;
    const answer = await run({
      input: {
        file: crash,
        ...(which === 'known' ? { deviceId: text('device') } : { modelCode: model, serial: text('serial') }),
        firmwareVersion: text('version'),
        chip: text('chip'),
      },
    });
    if (answer === undefined) return;
    const { coredump, device } = answer.uploadCrash;
    setStored({ id: coredump.id, device: device.name ?? device.key });
  }

  if (stored !== null) {
    return (
      <div className="dialog-body" role="status">
        <p>The crash is stored for {stored.device}.</p>
        <div className="dialog-actions">
          <Link href={`/dumps/${encodeURIComponent(stored.id)}`} className="button" data-tone="primary">
            Open it
          </Link>
        </div>
      </div>
    );
  }
  const isChip = /^esp/.test(report.chip);
  return (
    <form className="dialog-body" onSubmit={(event) => void submit(event)}>
      <p className="hint">
        The crash is sent to the server and kept, read and counted like one that the device sent itself.
      </p>
      <fieldset className="choices">
        <legend className="visually-hidden">Which device</legend>
        <label>
          <input type="radio" checked={which === 'known'} onChange={() => setWhich('known')} /> A device that
          is here
        </label>
        <label>
          <input type="radio" checked={which === 'serial'} onChange={() => setWhich('serial')} /> By model and
          serial; it is registered if it is new
        </label>
      </fieldset>
      {which === 'known' ? (
        <DeviceChoice />
      ) : (
        <>
          <ModelSelect value={model} onChoose={setModel} otherwise="Choose a model" isRequired />
          <Field
            label="Serial"
            name="serial"
            required
            defaultValue={report.deviceIdentity?.serial}
            hint="What its maker printed on it."
            pattern="[A-Za-z0-9._:\-]{1,64}"
          />
        </>
      )}
      <Field
        label="Version"
        name="version"
        defaultValue={version ?? report.deviceIdentity?.firmwareVersion}
        maxLength={64}
        hint="That crashed. Empty: as the crash or the device’s last boot says."
      />
      <Field
        label="Chip"
        name="chip"
        defaultValue={isChip ? report.chip : ''}
        maxLength={64}
        hint="For example esp32c3. Empty: as the crash says."
      />
      <DialogActions submit="File it" isDisabled={isRunning} />
    </form>
  );
}
