import type { ReportOnPageFragment } from '../../generated/graphql';
import { Fact } from '../../parts/fact';

/** The facts of a report about the chip, the exception and the form in which it came. */
export function ReportFacts({ report, isDump }: { report: ReportOnPageFragment; isDump: boolean }) {
  const { chip, chipRevision, cause, faultAddress, format, checksum, transport } = report;
  return (
    <>
      <Fact name="Chip">
        {chip}
        {chipRevision != null && ` ${revisionText(chipRevision)}`}
      </Fact>
      {cause != null && (
        <Fact name="Cause">
          {cause.name}{' '}
          <span className="mono">
            {cause.register} {cause.code}
          </span>
        </Fact>
      )}
      {faultAddress != null && (
        <Fact name="Accessed">
          <span className="mono">{faultAddress}</span>
        </Fact>
      )}
      <Fact name="Format">
        {format}
        {/* Only dumps have one. */}
        {isDump && `, checksum ${checksum.toLowerCase()}`}
      </Fact>
      {transport != null && <Fact name="Arrived as">{transport}</Fact>}
    </>
  );
}

/** Major × 100 + minor, as in the chip's eFuses. */
function revisionText(revision: number): string {
  return `v${Math.floor(revision / 100)}.${revision % 100}`;
}
