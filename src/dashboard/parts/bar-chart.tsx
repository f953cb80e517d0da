interface Bucket {
  start: string;
  count: number;
}

const WIDTH = 1000;
const HEIGHT = 120;
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const hours = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** Crashes over time, one bar for each hour or day (UTC); no bar where nothing crashed. */
export function BarChart({
  buckets,
  by,
  label,
}: {
  buckets: readonly Bucket[];
  by: 'DAY' | 'HOUR';
  label: string;
}) {
  const format = by === 'DAY' ? days : hours;
  const highest = Math.max(1, ...buckets.map(({ count }) => count));
  const step = WIDTH / Math.max(1, buckets.length);
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  const first = buckets[0];
  const last = buckets.at(-1);
  return (
    <figure className="chart">
      <div className="chart-scale" aria-hidden="true">
        <span>{highest.toLocaleString('en')}</span>
        <span>0</span>
      </div>
      <div className="chart-plot">
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${label}: ${total} in all, ${highest} at most`}
        >
          <title>{label}</title>
          {buckets.map(({ start, count }, index) => (
            <g key={start}>
              <rect className="chart-hit" x={index * step} y={0} width={step} height={HEIGHT}>
                <title>{`${format.format(new Date(start))}: ${count}`}</title>
              </rect>
              <rect
                className="chart-bar"
                x={index * step + step * 0.12}
                width={step * 0.76}
                y={HEIGHT - barHeight(count, highest)}
                height={barHeight(count, highest)}
              />
            </g>
          ))}
        </svg>
        <div className="chart-ends" aria-hidden="true">
          <span>{first !== undefined && format.format(new Date(first.start))}</span>
          <span>{last !== undefined && format.format(new Date(last.start))}</span>
        </div>
      </div>
    </figure>
  );
}

/** Minimum height, so that a single crash beside thousands stays visible. */
function barHeight(count: number, highest: number): number {
  return count === 0 ? 0 : Math.max(3, (count / highest) * HEIGHT);
}
