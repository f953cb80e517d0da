import { Fragment, useState } from 'react';
import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { TimelineDayFragment } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';
import { ErrorNotice } from '../../parts/notices';
import { ReleaseLink } from '../../parts/release-link';
import { resetText } from '../../parts/reset-reasons';
import { countText } from '../../parts/sizes';

graphql(`
  fragment TimelineDay on DeviceTimelineDay {
    start startedVersions
    versions { version bootCount crashCount resets { reason kind count } }
    coredumps { id kind reason uploadedAt }
  }
`);
const TimelineOfDevice = graphql(`
  query TimelineOfDevice($key: String!, $first: Int!) {
    device(key: $key) { id timeline(first: $first) { ...TimelineDay } }
  }
`);

const STEP = 7;
/** As many days as are kept. */
const MOST = 180;
const DAY_MS = 86_400_000;
const CHART_DAYS = 30;

/** What a device did, day by day: boots and why, updates, crashes. */
export function Timeline({ deviceKey, modelCode }: { deviceKey: string; modelCode: string }) {
  const [first, setFirst] = useState(STEP);
  const { data, error } = useLiveQuery(
    TimelineOfDevice,
    // One more tells whether there are more, and the chart wants its days.
    { key: deviceKey, first: Math.min(MOST, Math.max(CHART_DAYS, first + 1)) },
    (change) => change.kind === 'DEVICE' || (change.kind === 'COREDUMP' && change.deviceKey === deviceKey),
  );
  const days = data?.device?.timeline ?? [];
  if (data === undefined && error === undefined) return null;
  return (
    <section className="card" aria-labelledby="timeline">
      <header className="card-head">
        <h2 id="timeline">Timeline</h2>
        <span className="muted">Days in UTC</span>
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      {days.length === 0 ? (
        <p className="hint">
          Nothing is known yet: no boot report and no crash. Boot reports are <code>POST /api/iot/boot</code>.
        </p>
      ) : (
        <>
          <Boots days={days} />
          <ol className="timeline">
            {days.slice(0, first).map((day) => (
              <Day key={day.start} day={day} modelCode={modelCode} />
            ))}
          </ol>
        </>
      )}
      {days.length > first && (
        <p className="hint">
          <button type="button" className="quiet-button" onClick={() => setFirst(first + STEP)}>
            Earlier days
          </button>
        </p>
      )}
    </section>
  );
}

/** Its boots on the last days, by the reasons before them. */
function Boots({ days }: { days: readonly TimelineDayFragment[] }) {
  const byStart = new Map(days.map((day) => [day.start, day]));
  const today = Math.floor(Date.now() / DAY_MS);
  const columns = Array.from({ length: CHART_DAYS }, (_, index) => {
    const at = new Date((today - CHART_DAYS + 1 + index) * DAY_MS).toISOString();
    const parts = resetsOf(byStart.get(at)).map(({ reason, count }) => ({ name: resetText(reason), count }));
    return { at, parts };
  });
  if (columns.every(({ parts }) => parts.length === 0)) return null;
  return (
    <BarChart
      columns={columns}
      by="DAY"
      noun={{ one: 'boot', many: 'boots' }}
      timeZone="UTC"
      label="Boots a day by the reason before them, last 30 days"
    />
  );
}

/** Of all versions of the day together, the most frequent first. */
function resetsOf(day: TimelineDayFragment | undefined) {
  const sums = new Map<string, TimelineDayFragment['versions'][number]['resets'][number]>();
  for (const reset of (day?.versions ?? []).flatMap(({ resets }) => resets)) {
    const known = sums.get(reset.reason);
    sums.set(reset.reason, { ...reset, count: reset.count + (known?.count ?? 0) });
  }
  return [...sums.values()].sort((a, b) => b.count - a.count);
}

function Day({ day, modelCode }: { day: TimelineDayFragment; modelCode: string }) {
  const boots = day.versions.reduce((sum, { bootCount }) => sum + bootCount, 0);
  const crashes = day.versions.reduce((sum, { crashCount }) => sum + crashCount, 0);
  const resets = resetsOf(day);
  return (
    <li>
      <time dateTime={day.start}>{day.start.slice(0, 10)}</time>
      <div>
        {day.startedVersions.length > 0 && (
          <p>
            Started{' '}
            {day.startedVersions.map((version, index) => (
              <span key={version}>
                {index > 0 && ', '}
                <ReleaseLink model={modelCode} version={version} />
              </span>
            ))}
          </p>
        )}
        {(boots > 0 || resets.length > 0) && (
          <p>
            {countText(boots, 'boot')}
            {resets.length > 0 && ': '}
            {resets.map(({ reason, kind, count }, index) => (
              <Fragment key={reason}>
                {index > 0 && ', '}
                <span className="timeline-reset" data-kind={kind}>
                  {resetText(reason)}
                  {count > 1 && ` × ${count.toLocaleString('en')}`}
                </span>
              </Fragment>
            ))}
          </p>
        )}
        {day.coredumps.map(({ id, kind, reason }) => (
          <p key={id}>
            {KINDS[kind] ?? 'Crash'}{' '}
            <Link href={`/dumps/${encodeURIComponent(id)}`}>{reason ?? 'not read yet'}</Link>
          </p>
        ))}
        {crashes > day.coredumps.length && (
          <p className="count">
            {countText(crashes - day.coredumps.length, 'more crash', 'more crashes')}
            {day.coredumps.length < MOST_SHOWN && ', deleted since'}
          </p>
        )}
      </div>
    </li>
  );
}

/** The server names as many crashes of a day. */
const MOST_SHOWN = 5;
const KINDS: Readonly<Record<string, string>> = {
  CORE_DUMP: 'Dump:',
  PANIC_TEXT: 'Panic text:',
  SUMMARY: 'Summary:',
};
