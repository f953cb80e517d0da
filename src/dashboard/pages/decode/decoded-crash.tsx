import { DecodedReport } from './decoded-report';
import type { FirmwareFacts, Outcome, Reading } from './reader-messages';

/** What is known of the given crash, and what can be done with it. */
export function DecodedCrash({
  outcome,
  firmware,
}: {
  /** What the reader of this browser says; null until it has read. */
  outcome: Outcome<Reading> | null;
  firmware: Outcome<FirmwareFacts> | null;
}) {
  if (outcome === null) return null;
  return 'problem' in outcome ? (
    <p className="notice" data-tone="danger" role="alert">
      {outcome.problem}
    </p>
  ) : (
    <DecodedReport
      reading={outcome.value}
      firmwareText={firmware !== null && 'value' in firmware ? nameOf(firmware.value) : null}
      isWithoutFirmwareSaid={firmware === null}
    />
  );
}

function nameOf({ version, project, sha256 }: FirmwareFacts): string {
  return [version ?? sha256.slice(0, 16), project].filter((part) => part !== null).join(' of ');
}
