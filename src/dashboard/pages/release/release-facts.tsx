import { graphql } from '../../generated';
import type { HealthOnPageFragment, ReleaseOnPageFragment } from '../../generated/graphql';

graphql(`
  fragment HealthOnPage on ReleaseHealth {
    deviceCount crashedDeviceCount crashCount bootCount reportingDeviceCount deviceDayCount
    crashesPerDeviceDay crashFreeShare unknownBecause
  }
`);

interface Row {
  name: string;
  /** What it is, for who does not know the word. */
  about: string;
  of(side: Side): string;
}

type Side = { health: HealthOnPageFragment; runningDeviceCount: number };

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
    name: 'Days of devices',
    about: 'On which one that reports its boots was heard of',
    of: ({ health }) => number(health.deviceDayCount),
  },
  { name: 'Crashes', about: 'In 180 days', of: ({ health }) => number(health.crashCount) },
  {
    name: 'Devices that crashed',
    about: 'Each once',
    of: ({ health }) => number(health.crashedDeviceCount),
  },
];

/** The figures of both versions, side by side. */
export function ReleaseFacts({ release }: { release: ReleaseOnPageFragment }) {
  const { comparedTo, version, health, runningDeviceCount } = release;
  const own = { health, runningDeviceCount };
  return (
    <section className="card" aria-labelledby="figures">
      <header className="card-head">
        <h2 id="figures">Figures</h2>
      </header>
      <table className="release-facts">
        <thead>
          <tr>
            <th scope="col">
              <span className="visually-hidden">Figure</span>
            </th>
            <th scope="col" className="end mono">
              {version}
            </th>
            {comparedTo != null && (
              <th scope="col" className="end mono">
                {comparedTo.version}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {ROWS.map(({ name, about, of }) => (
            <tr key={name}>
              <th scope="row">
                {name}
                <div className="sub-line">{about}</div>
              </th>
              <td className="number">{of(own)}</td>
              {comparedTo != null && <td className="number">{of(comparedTo)}</td>}
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
