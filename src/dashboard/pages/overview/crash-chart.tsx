import { useState } from 'react';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { TimeUnit } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';
import { columnsOfBuckets } from '../../parts/chart-columns';
import { TIME_ZONE } from '../../parts/time-zone';

const CrashesOverTime = graphql(`
  query CrashesOverTime($unit: TimeUnit!, $zone: String) {
    crashesRecordedSince
    crashes(unit: $unit, timeZone: $zone) { start count }
  }
`);

const SPANS = [
  { unit: 'DAY', name: '30 days', label: 'Crashes a day, last 30 days' },
  { unit: 'HOUR', name: '48 hours', label: 'Crashes an hour, last 48 hours' },
] as const;

/** The crashes of the fleet over time. */
export function CrashChart() {
  const [unit, setUnit] = useState<TimeUnit>('DAY');
  const { data } = useLiveQuery(CrashesOverTime, { unit, zone: TIME_ZONE });
  const label = SPANS.find((span) => span.unit === unit)?.label ?? '';
  return (
    <section className="card" aria-labelledby="crash-chart">
      <header className="card-head">
        <h2 id="crash-chart">Crashes</h2>
        <fieldset className="segments">
          <legend className="visually-hidden">Span</legend>
          {SPANS.map((span) => (
            <button
              key={span.unit}
              type="button"
              aria-pressed={unit === span.unit}
              onClick={() => setUnit(span.unit)}
            >
              {span.name}
            </button>
          ))}
        </fieldset>
      </header>
      <BarChart
        columns={columnsOfBuckets(data?.crashes ?? [], 'Crashes', data?.crashesRecordedSince)}
        by={unit}
        label={label}
      />
    </section>
  );
}
