import type { ReportOnPageFragment } from '../../generated/graphql';

type Warning = ReportOnPageFragment['warnings'][number];

/** What does not make the report doubtful: shown on demand. */
const REMARKS: ReadonlySet<string> = new Set([
  'TEXT_WITH_DUMP',
  'SEVERAL_DUMPS',
  'UNKNOWN_VERSION',
  'VERSIONS_DIFFER',
  'NOTE_LEFT_OUT',
  'SEGMENTS_OVERLAP',
  'LIMIT_REACHED',
  'ROM_UNREADABLE',
]);

/** Reasons to doubt the report; the important ones first, the rest folded. */
export function Warnings({
  report,
  withoutFirmware = true,
}: {
  report: ReportOnPageFragment;
  /** False where the page says already that there is no firmware. */
  withoutFirmware?: boolean;
}) {
  const all = [...doubtsOf(report), ...report.warnings].filter(
    ({ code }) => withoutFirmware || code !== 'NO_FIRMWARE',
  );
  const remarks = all.filter(({ code }) => REMARKS.has(code));
  const doubts = all.filter(({ code }) => !REMARKS.has(code));
  return (
    <>
      {doubts.length > 0 && <WarningList warnings={doubts} name="Warnings" tone="warn" />}
      {remarks.length > 0 && (
        <details className="notice" data-tone="neutral">
          <summary data-row>
            {remarks.length === 1 ? '1 remark' : `${remarks.length} remarks`} of the reader
          </summary>
          <WarningList warnings={remarks} name="Remarks" />
        </details>
      )}
    </>
  );
}

function WarningList({
  warnings,
  name,
  tone,
}: {
  warnings: readonly Warning[];
  name: string;
  tone?: string;
}) {
  return (
    <ul className={tone === undefined ? undefined : 'notice'} data-tone={tone} aria-label={name}>
      {warnings.map(({ code, message }) => (
        <li key={`${code} ${message}`}>
          {message} {code !== 'OTHER' && <code className="warning-code">{code}</code>}
        </li>
      ))}
    </ul>
  );
}

/** What the report's fields say, unless a warning says it. */
function doubtsOf({ elfMatch, checksum, warnings }: ReportOnPageFragment): Warning[] {
  const isSaid = (...codes: string[]) => warnings.some(({ code }) => codes.includes(code));
  return [
    ...(elfMatch === 'DIFFERS' && !isSaid('FIRMWARE_DIFFERS', 'BUILD_CHOSEN')
      ? [
          {
            code: 'FIRMWARE_DIFFERS' as const,
            message: 'The ELF is not the one that the device ran: names and lines may be wrong.',
          },
        ]
      : []),
    ...(checksum === 'BAD' && !isSaid('DUMP_DAMAGED', 'DUMP_CUT')
      ? [
          {
            code: 'DUMP_DAMAGED' as const,
            message: 'The dump’s checksum is wrong: parts of it may be damaged.',
          },
        ]
      : []),
  ];
}
