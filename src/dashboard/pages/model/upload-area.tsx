import { type DragEvent, useId, useState } from 'react';
import { type Upload, useFirmwareUploads } from './use-firmware-uploads';

/** Uploads a bundle that is dropped or chosen, and shows the progress and the result. */
export function UploadArea({ modelCode }: { modelCode: string }) {
  const [isOver, setOver] = useState(false);
  const [version, setVersion] = useState('');
  const [mayDiffer, setMayDiffer] = useState(false);
  const { uploads, start, cancel } = useFirmwareUploads(modelCode);
  const fileId = useId();
  const versionId = useId();

  function send(files: FileList | null): void {
    const label = version.trim();
    for (const file of files ?? [])
      start(file, { version: label === '' ? null : label, allowVersionMismatch: label !== '' && mayDiffer });
  }
  function drop(event: DragEvent): void {
    event.preventDefault();
    setOver(false);
    send(event.dataTransfer.files);
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut; the file field does the same
    <div
      className="upload-area"
      data-over={isOver}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <div className="upload-row">
        <div>
          <label htmlFor={fileId} className="button" data-tone="primary">
            Upload a build
          </label>
          <input
            id={fileId}
            className="visually-hidden"
            type="file"
            accept=".elf,.zip"
            multiple
            onChange={(event) => {
              send(event.target.files);
              event.target.value = '';
            }}
          />
        </div>
        <p className="hint">
          or drop it here: the ELF, or a ZIP with <code>{modelCode}.elf</code> in it. Dumps that wait for it
          are then read automatically.
        </p>
        <div className="labelled">
          <label htmlFor={versionId}>Version</label>
          <input
            id={versionId}
            value={version}
            placeholder="From the ELF"
            onChange={(event) => setVersion(event.target.value)}
          />
          {version.trim() !== '' && (
            <label className="hint">
              <input
                type="checkbox"
                checked={mayDiffer}
                onChange={(event) => setMayDiffer(event.target.checked)}
              />{' '}
              may differ from the ELF’s own
            </label>
          )}
        </div>
      </div>
      {uploads.length > 0 && (
        <ul className="uploads" aria-live="polite">
          {uploads.map((upload) => (
            <UploadLine key={upload.id} upload={upload} onCancel={() => cancel(upload.id)} />
          ))}
        </ul>
      )}
    </div>
  );
}

function UploadLine({ upload, onCancel }: { upload: Upload; onCancel: () => void }) {
  const { filename, state } = upload;
  return (
    <li data-state={state.kind}>
      <span className="mono">{filename}</span>
      {state.kind === 'sending' && (
        <>
          <progress max={1} value={state.share} aria-label={`${filename}: sent`} />
          <span className="count">
            {state.share < 1 ? `${Math.floor(state.share * 100)} %` : 'being checked'}
          </span>
          <button type="button" className="quiet-button" onClick={onCancel}>
            Cancel
          </button>
        </>
      )}
      {state.kind === 'done' && (
        <span>
          is version {state.build.version}, ELF{' '}
          <span className="mono">{state.build.elfSha256.slice(0, 16)}…</span>
          {state.build.warnings.map(({ code, message }) => (
            <div key={code} className="build-warning">
              {message}
            </div>
          ))}
        </span>
      )}
      {state.kind === 'failed' && <span role="alert">{state.message}</span>}
    </li>
  );
}
