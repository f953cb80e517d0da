import { type ReactNode, useId } from 'react';
import { Link } from 'wouter';
import { CopyButton } from '../../parts/copy-button';
import { Fact } from '../../parts/fact';
import { ForAdmins } from '../../session/role';
import { ChooseFile, FileChip } from './file-chip';
import type { FirmwareFacts, Outcome } from './reader-messages';

/** The firmware's ELF, and what it says of itself. */
export function FirmwareInput({
  file,
  outcome,
  onFiles,
  onRemove,
  children,
}: {
  file: File | null;
  /** Null until it was read. */
  outcome: Outcome<FirmwareFacts> | null;
  onFiles: (files: readonly File[]) => void;
  onRemove: () => void;
  /** Other ways to a firmware. */
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className="card decode-input" aria-labelledby={id}>
      <header className="card-head">
        <h2 id={id}>Firmware</h2>
        <ChooseFile label="Choose the ELF" accept=".elf,.zip" onFiles={onFiles} />
      </header>
      <div className="decode-field">
        {file === null ? (
          <p className="hint">
            The .elf that the build made beside the .bin: <code>build/your-project.elf</code> of ESP-IDF,{' '}
            <code>.pio/build/…/firmware.elf</code> of PlatformIO and ESPHome. With it, addresses become
            functions and lines.
          </p>
        ) : (
          <FileChip file={file} onRemove={onRemove} />
        )}
        {outcome !== null && 'problem' in outcome && (
          <p className="notice" data-tone="danger" role="alert">
            {outcome.problem}
          </p>
        )}
        {outcome !== null && 'value' in outcome && <Facts facts={outcome.value} />}
        {children}
      </div>
    </section>
  );
}

function Facts({ facts: { version, project, idfVersion, chips, sha256, lacks } }: { facts: FirmwareFacts }) {
  return (
    <>
      <dl className="facts firmware-facts">
        {version !== null && (
          <Fact name="Version">
            <span className="mono">{version}</span>
            {project !== null && ` of ${project}`}
            {idfVersion !== null && `, ESP-IDF ${idfVersion}`}
          </Fact>
        )}
        <Fact name={chips.length === 1 ? 'Chip' : 'Chips'}>{chips.join(', ')}</Fact>
        <Fact name="SHA-256">
          <span className="mono" title={sha256}>
            {sha256.slice(0, 16)}…
          </span>{' '}
          <CopyButton text={sha256} name="Copy SHA-256 of the ELF" />
        </Fact>
      </dl>
      {lacks.length > 0 && (
        <ul className="notice" data-tone="warn" aria-label="What the ELF lacks">
          {lacks.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      <ForAdmins>
        <p className="hint">
          To read every later crash of it, <Link href="/firmware">upload it as a build</Link> of its model.
        </p>
      </ForAdmins>
    </>
  );
}
