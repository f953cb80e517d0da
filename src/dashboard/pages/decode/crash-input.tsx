import { useId } from 'react';
import { ChooseFile, FileChip } from './file-chip';

const EXAMPLE = `Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.
…
Backtrace: 0x400d1234:0x3ffb5e90 0x400d5678:0x3ffb5eb0`;

/** The crash: a file, or a text that is pasted or typed. */
export function CrashInput({
  file,
  text,
  onText,
  onFiles,
  onRemove,
  fieldRef,
  describedBy,
}: {
  /** In place of the text. */
  file: File | null;
  text: string;
  onText: (text: string) => void;
  onFiles: (files: readonly File[]) => void;
  onRemove: () => void;
  fieldRef: (field: HTMLTextAreaElement | null) => void;
  describedBy: string;
}) {
  const id = useId();
  return (
    <section className="card decode-input" aria-labelledby={`${id}-title`}>
      <header className="card-head">
        <h2 id={`${id}-title`}>Crash</h2>
        <ChooseFile label="Choose a file" onFiles={onFiles} />
      </header>
      <div className="decode-field">
        {file !== null ? (
          <FileChip file={file} onRemove={onRemove} />
        ) : (
          <>
            <label htmlFor={id} className="hint">
              A log, a panic text, base64 or hex of a core dump, or addresses
            </label>
            <textarea
              id={id}
              ref={fieldRef}
              className="mono"
              aria-describedby={describedBy}
              placeholder={EXAMPLE}
              spellCheck={false}
              autoCapitalize="off"
              value={text}
              onChange={({ target }) => onText(target.value)}
            />
          </>
        )}
      </div>
    </section>
  );
}
