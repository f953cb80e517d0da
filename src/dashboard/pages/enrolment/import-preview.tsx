import { countText } from '../../parts/sizes';
import type { ReadFile } from './use-device-import';

const SHOWN_DEVICES = 5;
const SHOWN_PROBLEMS = 50;

/** What the file says: its first devices, or what is wrong with it. */
export function ImportPreview({ file: { name, list } }: { file: ReadFile }) {
  const { devices, problems, ignoredColumns } = list;
  return (
    <section aria-label={`Preview of ${name}`} aria-live="polite" className="import-preview">
      {problems.length > 0 && (
        <>
          <p className="notice" data-tone="danger" role="alert">
            {countText(problems.length, 'line')} cannot be read: correct the file and choose it again. Nothing
            was registered.
          </p>
          <Problems problems={problems} />
        </>
      )}
      {problems.length === 0 && devices.length === 0 && (
        <p className="notice" data-tone="danger" role="alert">
          The file names no device.
        </p>
      )}
      {problems.length === 0 && devices.length > 0 && (
        <>
          <p>{countText(devices.length, 'device')} in the file:</p>
          <ul className="import-lines mono">
            {devices.slice(0, SHOWN_DEVICES).map(({ line, serial, key, name: deviceName }) => (
              <li key={line}>{[serial, key, deviceName].filter((text) => text !== null).join(' · ')}</li>
            ))}
            {devices.length > SHOWN_DEVICES && (
              <li>… {countText(devices.length - SHOWN_DEVICES, 'more', 'more')}</li>
            )}
          </ul>
        </>
      )}
      {ignoredColumns.length > 0 && <p className="hint">Columns not used: {ignoredColumns.join(', ')}</p>}
    </section>
  );
}

export function Problems({ problems }: { problems: ReadonlyArray<{ line: number; message: string }> }) {
  return (
    <ul className="import-lines">
      {problems.slice(0, SHOWN_PROBLEMS).map(({ line, message }) => (
        <li key={`${line} ${message}`}>
          <b>Line {line}</b>: {message}
        </li>
      ))}
      {problems.length > SHOWN_PROBLEMS && <li>… {problems.length - SHOWN_PROBLEMS} more</li>}
    </ul>
  );
}
