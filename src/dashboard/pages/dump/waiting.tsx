import { Link } from 'wouter';
import type { DumpOnPageFragment } from '../../generated/graphql';

/** The build whose upload makes the server read the dump again by itself. Nothing when it waits for none. */
export function Waiting({ dump }: { dump: DumpOnPageFragment }) {
  const { waitingFor, parseStatus, parseErrorKind, device } = dump;
  if (waitingFor == null) return null;
  const { firmwareVersion, chip, elfSha256Prefix } = waitingFor;
  return (
    <section className="notice" data-tone="warn" aria-label="Waiting">
      <p>
        <b>
          Waiting for build <span className="mono">{firmwareVersion}</span>
        </b>{' '}
        of {device.model.code} for {chip}
        {elfSha256Prefix != null && (
          <>
            , ELF <code>{elfSha256Prefix.slice(0, 16)}…</code>
          </>
        )}
        . <Link href={`/firmware/${device.model.code}`}>Upload that build</Link>, and the dump is read again
        by itself.
      </p>
      <p className="hint">
        {parseStatus === 'PARSED'
          ? 'Until then it is read with another build of the version: names may be missing.'
          : parseErrorKind === 'LOST_FIRMWARE'
            ? 'It was uploaded before, but its file is missing from the storage.'
            : 'Until then the page shows what the dump alone tells.'}
      </p>
    </section>
  );
}
