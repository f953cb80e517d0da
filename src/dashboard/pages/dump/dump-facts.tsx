import { Link } from 'wouter';
import type { DumpOnPageFragment } from '../../generated/graphql';
import { CopyButton } from '../../parts/copy-button';
import { SOURCE_NAMES } from '../../parts/crash-sources';
import { CrashVersion } from '../../parts/crash-version';
import { Fact } from '../../parts/fact';
import { ReleaseLink } from '../../parts/release-link';
import { bytesText } from '../../parts/sizes';
import { Moment } from '../../parts/time';
import { ReportFacts } from './report-facts';

/** Whether the ELF is the one that the device ran, by `ElfMatch`. */
const MATCHES: Readonly<Record<string, string>> = {
  MATCHES: 'matches',
  DIFFERS: 'is another build',
  UNKNOWN: 'cannot be compared: the crash does not name its ELF',
};

/** The facts about the dump itself: file, firmware, chip, times. */
export function DumpFacts({ dump }: { dump: DumpOnPageFragment }) {
  const { report, firmware } = dump;
  return (
    <section className="card" aria-labelledby="facts">
      <header className="card-head">
        <h2 id="facts">{SOURCE_NAMES[dump.kind]}</h2>
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
          <CrashVersion dump={dump} />{' '}
          <ReleaseLink model={dump.device.model.code} version={dump.crashVersion}>
            its release
          </ReleaseLink>
        </Fact>
        {report != null && <ReportFacts report={report} isDump={dump.kind === 'CORE_DUMP'} />}
        {firmware != null && (
          <Fact name="ELF">
            <Hash of={firmware.elfSha256} name="SHA-256 of the ELF" />
            {report != null && ` ${MATCHES[report.elfMatch] ?? ''}`}
            {firmware.elfVersion != null && firmware.elfVersion !== firmware.version && (
              <div className="hint">
                stored as {firmware.version}, the ELF says {firmware.elfVersion}
              </div>
            )}
            {firmware.revision != null && (
              <div className="hint">
                built from <span className="mono">{firmware.revision}</span>
              </div>
            )}
            {firmware.warnings.map(({ code, message }) => (
              <div key={code} className="hint">
                {message}
              </div>
            ))}
          </Fact>
        )}
        {report?.appElfSha256 != null && report.elfMatch !== 'MATCHES' && (
          <Fact name="Device ran">
            <Hash of={report.appElfSha256} name="SHA-256 of the ELF that the device ran" />
          </Fact>
        )}
        <Fact name="SHA-256">
          <Hash of={dump.sha256} name={`SHA-256 of the ${SOURCE_NAMES[dump.kind].toLowerCase()}`} />
        </Fact>
        {dump.fingerprint != null && (
          <Fact name="Fingerprint">
            <span className="mono">{dump.fingerprint}</span>{' '}
            <CopyButton text={dump.fingerprint} name="Copy fingerprint" />
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Hash({ of, name }: { of: string; name: string }) {
  return (
    <>
      <span className="mono" title={of}>
        {of.slice(0, 16)}
        {of.length > 16 && '…'}
      </span>{' '}
      <CopyButton text={of} name={`Copy ${name}`} />
    </>
  );
}
