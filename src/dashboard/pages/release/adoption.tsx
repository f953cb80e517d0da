import type { ReleaseOnPageFragment } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';

/** How many devices ran the version on each day. */
export function Adoption({ release }: { release: ReleaseOnPageFragment }) {
  const { adoption, version } = release;
  const heard = adoption.filter(
    ({ deviceCount, comparedDeviceCount, otherDeviceCount }) =>
      deviceCount + comparedDeviceCount + otherDeviceCount > 0,
  );
  const last = heard.at(-1);
  const all = last === undefined ? 0 : last.deviceCount + last.comparedDeviceCount + last.otherDeviceCount;
  return (
    <section className="card" aria-labelledby="adoption">
      <header className="card-head">
        <h2 id="adoption">Devices with {version}</h2>
        {last !== undefined && (
          <span className="muted">
            {Math.round((last.deviceCount / all) * 100)} % of {all} on{' '}
            <time dateTime={last.start}>{last.start.slice(0, 10)}</time>
          </span>
        )}
      </header>
      {last === undefined ? (
        <p className="hint">No device of the model was heard of in the last 30 days.</p>
      ) : (
        <BarChart
          buckets={adoption.map(({ start, deviceCount: count }) => ({ start, count }))}
          by="DAY"
          label={`Devices heard of with ${version} a day, last 30 days`}
        />
      )}
    </section>
  );
}
