import type { ReleaseOnPageFragment } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';
import { OTHERS } from '../../parts/chart-columns';

type Day = ReleaseOnPageFragment['adoption'][number];

/** The server counts days of UTC. Noon of such a day has the same date for nearly all readers. */
function noonOf(start: string): string {
  return start.replace('T00:', 'T12:');
}

function partsOf(
  { deviceCount, comparedDeviceCount, otherDeviceCount }: Day,
  { version, comparedTo }: ReleaseOnPageFragment,
) {
  return [
    { name: version, count: deviceCount },
    { name: comparedTo?.version ?? 'the version before', count: comparedDeviceCount },
    { name: OTHERS, count: otherDeviceCount },
  ].filter(({ count }) => count > 0);
}

/** How many devices ran the version on each day, beside those that ran another one. */
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
          columns={adoption.map((day) => ({ at: noonOf(day.start), parts: partsOf(day, release) }))}
          by="DAY"
          label="Devices heard of a day (UTC) by version, last 30 days"
        />
      )}
    </section>
  );
}
