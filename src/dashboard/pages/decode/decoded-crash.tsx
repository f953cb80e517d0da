import { RawText } from '../dump/raw-text';
import { DecodedReport } from './decoded-report';
import { FileCrash } from './file-crash';
import type { FirmwareFacts, Outcome, Reading } from './reader-messages';
import type { ServerReading } from './server-reading';

/** What is known of the given crash, and the way to store it. */
export function DecodedCrash({
  crash,
  outcome,
  firmware,
  byServer,
}: {
  crash: File;
  /** What the reader of this browser says; null until it has read. */
  outcome: Outcome<Reading> | null;
  firmware: Outcome<FirmwareFacts> | null;
  /** What the server says, where it was asked. */
  byServer: ServerReading | null;
}) {
  if (byServer !== null) return <ReadThere crash={crash} reading={byServer} />;
  if (outcome === null) return null;
  if ('problem' in outcome) {
    return (
      <p className="notice" data-tone="danger" role="alert">
        {outcome.problem}
      </p>
    );
  }
  const { report } = outcome.value;
  const facts = firmware !== null && 'value' in firmware ? firmware.value : null;
  const isUsed = facts !== null && report.usesElf;
  return (
    <DecodedReport
      reading={outcome.value}
      firmwareText={isUsed ? nameOf(facts) : null}
      isWithoutFirmwareSaid={firmware === null}
      actions={<FileCrash crash={crash} report={report} version={isUsed ? facts.version : null} />}
    />
  );
}

function ReadThere({ crash, reading }: { crash: File; reading: ServerReading }) {
  const { kind, report, output, firmware: build } = reading;
  return (
    <>
      <p className="notice" role="status">
        Read by this server,{' '}
        {build == null
          ? 'which found no build for it'
          : `with its build ${build.version} of ${build.model.code}`}
        . The crash was sent to it, and it kept nothing.
      </p>
      {report == null ? (
        <RawText output={output} isOpen />
      ) : (
        <DecodedReport
          reading={{ kind, report, output }}
          firmwareText={build == null ? null : `${build.version} of ${build.model.code}`}
          isWithoutFirmwareSaid={false}
          actions={
            <FileCrash
              crash={crash}
              report={report}
              version={build?.version ?? null}
              modelCode={build?.model.code}
            />
          }
        />
      )}
    </>
  );
}

function nameOf({ version, project, sha256 }: FirmwareFacts): string {
  return [version ?? sha256.slice(0, 16), project].filter((part) => part !== null).join(' of ');
}
