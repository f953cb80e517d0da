import type { HealthOnPageFragment, ReleaseOnPageFragment } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';
import { resetText } from '../../parts/reset-reasons';
import { VersionHeads } from './version-heads';

/** Why the devices of a version were reset: crashes and faults of the power supply first, beside the version before. */
export function Resets({ release }: { release: ReleaseOnPageFragment }) {
  const { version, comparedTo, health, resetDays } = release;
  const sides = [health, ...(comparedTo == null ? [] : [comparedTo.health])];
  const rows = rowsOf(sides);
  const columns = resetDays.map(({ start, resets }) => ({
    at: start,
    parts: resets
      .filter(({ kind }) => kind !== 'NORMAL')
      .map(({ reason, count }) => ({ name: resetText(reason), count })),
  }));
  return (
    <section className="card" aria-labelledby="resets">
      <header className="card-head">
        <h2 id="resets">Resets</h2>
        <span className="muted">Per 1,000, in 180 days</span>
      </header>
      {rows.length === 0 ? (
        <p className="hint">No boot report says how a run of {version} ended.</p>
      ) : (
        <table className="release-facts">
          <VersionHeads label="Reason" release={release} />
          <tbody>
            {rows.map(({ reason, kind }) => (
              <tr key={reason}>
                <th scope="row">
                  {resetText(reason)}
                  {KINDS[kind] !== undefined && <div className="sub-line">{KINDS[kind]}</div>}
                </th>
                {sides.map((side, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the two versions have their places
                  <td key={index} className="number">
                    {shareOf(side, reason)}
                    <div className="sub-line">{countOf(side, reason).toLocaleString('en')}</div>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {columns.some(({ parts }) => parts.length > 0) && (
        <BarChart
          columns={columns}
          by="DAY"
          noun={{ one: 'reset', many: 'resets' }}
          // They are counted by days of UTC.
          timeZone="UTC"
          label="Resets a day by crashes and power, last 30 days"
        />
      )}
    </section>
  );
}

const KINDS: Readonly<Record<string, string>> = { CRASH: 'a crash', POWER: 'the power supply' };
const ORDER = ['CRASH', 'POWER', 'NORMAL'];

/** The reasons of both versions: crashes first, then by their number. */
function rowsOf(sides: readonly HealthOnPageFragment[]) {
  const all = new Map(sides.flatMap(({ resets }) => resets).map(({ reason, kind }) => [reason, kind]));
  const sum = (reason: string) => sides.reduce((total, side) => total + countOf(side, reason), 0);
  return [...all]
    .map(([reason, kind]) => ({ reason, kind }))
    .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || sum(b.reason) - sum(a.reason));
}

function countOf({ resets }: HealthOnPageFragment, of: string): number {
  return resets.find(({ reason }) => reason === of)?.count ?? 0;
}

function shareOf(side: HealthOnPageFragment, reason: string): string {
  const all = side.resets.reduce((sum, { count }) => sum + count, 0);
  if (all === 0) return 'not known';
  const share = (countOf(side, reason) / all) * 1000;
  return share >= 100 ? share.toFixed(0) : share.toFixed(1);
}
