import { bytesText } from '../../parts/sizes';

/** A file that was given, and the way to take it back. */
export function FileChip({ file, onRemove }: { file: File; onRemove: () => void }) {
  return (
    <p className="file-chip">
      <span className="mono">{file.name}</span> <span className="count">{bytesText(file.size)}</span>
      <button type="button" className="quiet-button" aria-label={`Remove ${file.name}`} onClick={onRemove}>
        Remove
      </button>
    </p>
  );
}

/** A button that chooses files. */
export function ChooseFile({
  label,
  accept,
  onFiles,
}: {
  label: string;
  accept?: string;
  onFiles: (files: readonly File[]) => void;
}) {
  return (
    <label className="button choose-file">
      {label}
      <input
        className="visually-hidden"
        type="file"
        multiple
        accept={accept}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // The same file may be chosen again after it was built anew.
          event.target.value = '';
        }}
      />
    </label>
  );
}
