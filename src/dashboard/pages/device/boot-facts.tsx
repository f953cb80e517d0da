import type { DeviceFactsFragment } from '../../generated/graphql';
import { Fact } from '../../parts/fact';
import { ReleaseLink } from '../../parts/release-link';
import { sentResetText } from '../../parts/reset-reasons';
import { Ago, spanText } from '../../parts/time';

/** What the last boot report of a device says: what it runs since when, and how the run before ended. */
export function BootFacts({ device }: { device: DeviceFactsFragment }) {
  const { lastBootAt, lastBootVersion, lastBootChip, lastResetReason, lastBootUptimeSeconds } = device;
  if (lastBootAt == null || lastBootVersion == null) {
    return (
      <Fact name="Last boot">
        <span className="count">not reported</span>
      </Fact>
    );
  }
  return (
    <>
      <Fact name="Runs">
        <ReleaseLink model={device.model.code} version={lastBootVersion} />
        {lastBootChip != null && (
          <>
            {' '}
            on <span className="mono">{lastBootChip}</span>
          </>
        )}
        <Build device={device} />
      </Fact>
      <Fact name="Booted">
        <Ago at={lastBootAt} />
        {lastResetReason != null && <>, after: {sentResetText(lastResetReason)}</>}
      </Fact>
      <Fact name="Run before">
        {lastBootUptimeSeconds == null ? (
          <span className="count">length not told</span>
        ) : (
          spanText(lastBootUptimeSeconds)
        )}
        {device.lastBootCrashPending === true && ', and a crash waited on the device to be sent'}
      </Fact>
    </>
  );
}

function Build({ device: { lastBootFirmware, lastBootElfSha256 } }: { device: DeviceFactsFragment }) {
  if (lastBootElfSha256 == null) return null;
  return (
    <>
      , build <span className="mono">{lastBootElfSha256.slice(0, 9)}</span>
      {lastBootFirmware == null ? (
        <span className="count"> (not uploaded)</span>
      ) : (
        lastBootFirmware.revision != null && (
          <>
            {' '}
            from <span className="mono">{lastBootFirmware.revision.slice(0, 12)}</span>
          </>
        )
      )}
    </>
  );
}
