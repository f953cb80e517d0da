import { useLocation } from 'wouter';
import type { ModelByCodeQuery } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';
import { OTHERS } from '../../parts/chart-columns';
import { releaseAddress } from '../../parts/release-link';

type Days = NonNullable<ModelByCodeQuery['deviceModel']>['adoption'];

/** As many as the chart has colours. */
const SHOWN = 5;

/** Which versions the devices of a model ran, by day. */
export function ModelAdoption({ model, days }: { model: string; days: Days }) {
  const [, navigate] = useLocation();
  const sums = new Map<string, number>();
  for (const { version, deviceCount } of days.flatMap(({ versions }) => versions))
    sums.set(version, (sums.get(version) ?? 0) + deviceCount);
  if (sums.size === 0) return null;
  const shown = [...sums.keys()].sort((a, b) => (sums.get(b) ?? 0) - (sums.get(a) ?? 0)).slice(0, SHOWN);
  return (
    <section className="card" aria-labelledby="model-adoption">
      <header className="card-head">
        <h2 id="model-adoption">Versions in the field</h2>
        <span className="muted">A device that ran two on a day counts with both</span>
      </header>
      <BarChart
        columns={days.map(({ start, versions }) => ({
          at: start,
          parts: [
            ...versions
              .filter(({ version }) => shown.includes(version))
              .map(({ version, deviceCount }) => ({ name: version, count: deviceCount })),
            {
              name: OTHERS,
              count: versions
                .filter(({ version }) => !shown.includes(version))
                .reduce((sum, { deviceCount }) => sum + deviceCount, 0),
            },
          ].filter(({ count }) => count > 0),
        }))}
        by="DAY"
        noun={{ one: 'device', many: 'devices' }}
        // Devices are counted by days of UTC.
        timeZone="UTC"
        label="Devices a day by version, last 30 days"
        onSelectName={(version) => navigate(releaseAddress(model, version))}
      />
    </section>
  );
}
