import { Link } from 'wouter';
import type { DumpOnPageFragment } from '../../generated/graphql';
import { Fact } from '../../parts/fact';
import { bytesText } from '../../parts/sizes';
import { Moment } from '../../parts/time';

/** The facts about the dump itself: file, firmware, chip, times. */
export function DumpFacts({ dump }: { dump: DumpOnPageFragment }) {
  const { report, firmware } = dump;
  return (
    <section className="card" aria-labelledby="facts">
      <header className="card-head">
        <h2 id="facts">Dump</h2>
      </header>
      <dl className="facts">
        <Fact name="File">{dump.filename}</Fact>
        <Fact name="Size">{bytesText(dump.size)}</Fact>
        <Fact name="Arrived">
          <Moment at={dump.uploadedAt} />
        </Fact>
        {dump.parsedAt != null && (
          <Fact name="Read">
            <Moment at={dump.parsedAt} />
            {dump.parseAttempts > 1 && `, attempt ${dump.parseAttempts}`}
          </Fact>
        )}
        {dump.rawRemovedAt != null && (
          <Fact name="Raw bytes">
            removed <Moment at={dump.rawRemovedAt} />,{' '}
            {dump.rawRemovedReason === 'STORAGE_LIMIT'
              ? 'to free space for newer ones'
              : 'as the model’s settings say'}
          </Fact>
        )}
        <Fact name="Device">
          <Link href={`/devices/${dump.device.key}`}>{dump.device.key}</Link>
        </Fact>
        <Fact name="Model">{dump.device.model.name}</Fact>
        <Fact name="Firmware">
          <span className="mono">{dump.firmwareVersion}</span>
        </Fact>
        {report != null && (
          <>
            <Fact name="Chip">
              {report.chip}
              {report.chipRevision != null && ` ${revisionText(report.chipRevision)}`}
            </Fact>
            <Fact name="Format">
              {report.format}, checksum {report.checksum.toLowerCase()}
            </Fact>
          </>
        )}
        {firmware != null && (
          <Fact name="ELF">
            <Hash of={firmware.elfSha256} />
            {report != null && (report.elfMatches ? ' matches' : ' does not match')}
          </Fact>
        )}
        {report?.appElfSha256 != null && report.elfMatches === false && (
          <Fact name="Device ran">
            <Hash of={report.appElfSha256} />
          </Fact>
        )}
        <Fact name="SHA-256">
          <Hash of={dump.sha256} />
        </Fact>
        {dump.fingerprint != null && (
          <Fact name="Fingerprint">
            <span className="mono">{dump.fingerprint}</span>
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Hash({ of }: { of: string }) {
  return (
    <span className="mono" title={of}>
      {of.slice(0, 16)}
      {of.length > 16 && '…'}
    </span>
  );
}

/** Major × 100 + minor, as in the chip's eFuses. */
function revisionText(revision: number): string {
  return `v${Math.floor(revision / 100)}.${revision % 100}`;
}
