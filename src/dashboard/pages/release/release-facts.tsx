import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { HealthOnPageFragment, ReleaseOnPageFragment } from '../../generated/graphql';
import { spanText } from '../../parts/time';
import { VersionHeads } from './version-heads';

graphql(`
  fragment HealthOnPage on ReleaseHealth {
    deviceCount crashedDeviceCount crashCount bootCount reportingDeviceCount deviceDayCount
    crashesPerDeviceDay crashFreeShare unknownBecause
    sessionCount crashFreeSessionShare sessionSeconds timedSessionCount unreportedCrashCount
    resets { reason kind count }
  }
`);

interface Row {
  name: string;
  /** What it is, for who does not know the word. */
  about: string;
  of(side: Side): string;
  /** The list of them, where there are some. */
  link?(model: string, version: string): string;
}

type Side = { health: HealthOnPageFragment; runningDeviceCount: number; silentDeviceCount: number };

const number = (value: number) => value.toLocaleString('en');
const UNKNOWN = 'not known';

const ROWS: Row[] = [
  {
    name: 'Crashes per device and day',
    about: 'Of devices that report their boots',
    of: ({ health }) =>
      health.crashesPerDeviceDay == null ? UNKNOWN : health.crashesPerDeviceDay.toFixed(3),
  },
  {
    name: 'Crash-free devices',
    about: 'Of devices that report their boots',
    of: ({ health }) =>
      health.crashFreeShare == null ? UNKNOWN : `${(health.crashFreeShare * 100).toFixed(1)} %`,
  },
  {
    name: 'Crash-free sessions',
    about: 'Runs that ended without a crash, by the boots after them',
    of: ({ health }) =>
      health.crashFreeSessionShare == null
        ? UNKNOWN
        : `${(health.crashFreeSessionShare * 100).toFixed(2)} % of ${number(health.sessionCount)}`,
  },
  {
    name: 'Length of a session',
    about: 'On average, of those that devices told',
    of: ({ health: { sessionSeconds, timedSessionCount } }) =>
      timedSessionCount === 0 ? UNKNOWN : spanText(sessionSeconds / timedSessionCount),
  },
  {
    name: 'Devices',
    about: 'Heard of with the version in 180 days',
    of: ({ health }) => number(health.deviceCount),
  },
  {
    name: 'Running it now',
    about: 'Their last boot report named it',
    of: ({ health, runningDeviceCount }) =>
      health.unknownBecause === 'NO_BOOT_REPORTS' ? UNKNOWN : number(runningDeviceCount),
  },
  {
    name: 'Silent for a week',
    about: 'Of those that run it now',
    of: ({ health, silentDeviceCount }) =>
      health.unknownBecause === 'NO_BOOT_REPORTS' ? UNKNOWN : number(silentDeviceCount),
    link: (model, version) => `/devices?${new URLSearchParams({ model, running: version, silent: '7' })}`,
  },
  {
    name: 'Days of devices',
    about: 'On which one that reports its boots was heard of',
    of: ({ health }) => number(health.deviceDayCount),
  },
  { name: 'Crashes', about: 'That arrived in 180 days', of: ({ health }) => number(health.crashCount) },
  {
    name: 'Crashes without a dump',
    about: 'Only boots tell of them: an estimate',
    of: ({ health }) =>
      health.unknownBecause === 'NO_BOOT_REPORTS' ? UNKNOWN : number(health.unreportedCrashCount),
  },
  {
    name: 'Devices that crashed',
    about: 'Each once, with or without a dump',
    of: ({ health }) => number(health.crashedDeviceCount),
  },
];

/** The figures of both versions, side by side. */
export function ReleaseFacts({ release }: { release: ReleaseOnPageFragment }) {
  const { comparedTo, version, health, model } = release;
  return (
    <section className="card" aria-labelledby="figures">
      <header className="card-head">
        <h2 id="figures">Figures</h2>
      </header>
      <table className="release-facts">
        <VersionHeads label="Figure" release={release} />
        <tbody>
          {ROWS.map(({ name, about, of, link }) => (
            <tr key={name}>
              <th scope="row">
                {name}
                <div className="sub-line">{about}</div>
              </th>
              {[release, ...(comparedTo == null ? [] : [comparedTo])].map((side) => (
                <td key={side.version} className="number">
                  {link === undefined || side.silentDeviceCount === 0 ? (
                    of(side)
                  ) : (
                    <Link href={link(model.code, side.version)}>{of(side)}</Link>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {health.reportingDeviceCount > 0 && health.reportingDeviceCount < health.deviceCount && (
        <p className="hint">
          {number(health.reportingDeviceCount)} of {number(health.deviceCount)} devices report their boots
          with {version}: shares and rates are of these.
        </p>
      )}
    </section>
  );
}
