import { useState } from 'react';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { TimeUnit } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';

const CrashesOverTime = graphql(`
  query CrashesOverTime($by: TimeUnit!) { crashes(by: $by) { start count } }
`);

const SPANS = [
  { by: 'DAY', name: '30 days', label: 'Crashes a day, last 30 days' },
  { by: 'HOUR', name: '48 hours', label: 'Crashes an hour, last 48 hours' },
] as const;

/** The crashes of the fleet over time. */
export function CrashChart() {
  const [by, setBy] = useState<TimeUnit>('DAY');
  const { data } = useLiveQuery(CrashesOverTime, { by });
  const label = SPANS.find((span) => span.by === by)?.label ?? '';
  return (
    <section className="card" aria-labelledby="crash-chart">
      <header className="card-head">
        <h2 id="crash-chart">Crashes</h2>
        <fieldset className="segments">
          <legend className="visually-hidden">Span</legend>
          {SPANS.map((span) => (
            <button key={span.by} type="button" aria-pressed={by === span.by} onClick={() => setBy(span.by)}>
              {span.name}
            </button>
          ))}
        </fieldset>
      </header>
      <BarChart buckets={data?.crashes ?? []} by={by} label={label} />
    </section>
  );
}
