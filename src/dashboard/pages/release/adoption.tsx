import type { ReleaseOnPageFragment } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';

/** Which versions the devices that were heard of on a day ran. */
export function Adoption({ release }: { release: ReleaseOnPageFragment }) {
  const { adoption, version, comparedTo } = release;
  const heard = adoption.filter(
    ({ deviceCount, comparedDeviceCount, otherDeviceCount }) =>
      deviceCount + comparedDeviceCount + otherDeviceCount > 0,
  );
  const last = heard.at(-1);
  const all = last === undefined ? 0 : last.deviceCount + last.comparedDeviceCount + last.otherDeviceCount;
  return (
    <section className="card" aria-labelledby="adoption">
      <header className="card-head">
        <h2 id="adoption">Adoption</h2>
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
          columns={adoption.map((day) => ({
            at: day.start,
            parts: [
              { name: version, count: day.deviceCount },
              ...(comparedTo == null ? [] : [{ name: comparedTo.version, count: day.comparedDeviceCount }]),
              { name: 'other versions', count: day.otherDeviceCount },
            ].filter(({ count }) => count > 0),
          }))}
          by="DAY"
          noun={{ one: 'device', many: 'devices' }}
          // Devices are counted by days of UTC.
          timeZone="UTC"
          label="Devices a day by version, last 30 days"
        />
      )}
    </section>
  );
}
