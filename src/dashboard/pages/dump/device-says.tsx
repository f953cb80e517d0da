import type { ReportOnPageFragment } from '../../generated/graphql';
import { Fact } from '../../parts/fact';

/** What the device component wrote into the dump: who the device is, its values, the last lines of its log. */
export function DeviceSays({
  report: { deviceIdentity, values, logLines },
}: {
  report: ReportOnPageFragment;
}) {
  if (deviceIdentity == null && values.length === 0 && logLines.length === 0) return null;
  return (
    <section className="card" aria-labelledby="device-says">
      <header className="card-head">
        <h2 id="device-says">What the device says</h2>
      </header>
      <dl className="facts">
        {deviceIdentity != null && <Identity identity={deviceIdentity} />}
        {values.map(({ name, value }) => (
          <Fact key={name} name={name}>
            <span className="mono">{value}</span>
          </Fact>
        ))}
      </dl>
      {logLines.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section tabIndex={0} className="raw-scroll" aria-label="Last log lines">
          <pre>{logLines.join('\n')}</pre>
        </section>
      )}
    </section>
  );
}

function Identity({ identity }: { identity: NonNullable<ReportOnPageFragment['deviceIdentity']> }) {
  return (
    <>
      <Fact name="Serial">
        <span className="mono">{identity.serial}</span>
      </Fact>
      <Fact name="Firmware">
        <span className="mono">
          {identity.project} {identity.firmwareVersion}
        </span>
      </Fact>
      <Fact name="Boot">
        {identity.bootCount} since power was applied, started by{' '}
        <span className="mono">{identity.resetReason}</span>
      </Fact>
    </>
  );
}
