import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { GroupInListFragment } from '../../generated/graphql';
import { GroupState } from '../../parts/group-state';
import { SelectCell, SelectHead } from '../../parts/select-cells';
import { unitText } from '../../parts/sizes';
import { SortHead, type Sorting } from '../../parts/sort-head';
import { Sparkline } from '../../parts/sparkline';
import { TagChips } from '../../parts/tag-chip';
import { Ago } from '../../parts/time';
import type { Selection } from '../../parts/use-selection';

graphql(`
  fragment GroupInList on CrashGroup {
    id title reason state isRegression assignee count deviceCount lastSeenAt firstSeenAt velocity
    firmwareVersions
    models { id code }
    tags { ...TagOnChip }
    crashes(unit: DAY) { start count }
  }
`);

/**
 * Crash groups; each row leads to its page.
 *
 * @param by what they are sorted by, whose value is shown
 * @param gone ids of groups that were merged or left the list since they were shown
 */
export function GroupTable({
  groups,
  by = 'count',
  gone = NONE,
  selection,
  sorting,
}: {
  groups: readonly GroupInListFragment[];
  by?: string;
  gone?: ReadonlySet<string>;
  selection?: Selection | undefined;
  sorting?: Sorting;
}) {
  return (
    <table className="list">
      <thead>
        <tr>
          <SelectHead selection={selection} />
          <th scope="col">Crash</th>
          <th scope="col" className="wide">
            30 days
          </th>
          <SortHead name="Crashes" by="count" sorting={sorting} className="end" />
          <SortHead name="Devices" by="devices" sorting={sorting} className="end" />
          {by === 'rate' && <SortHead name="Rate now" by="rate" sorting={sorting} className="end" />}
          <th scope="col">State</th>
          {by === 'first' && <SortHead name="First seen" by="first" sorting={sorting} className="end" />}
          <SortHead name="Last seen" by="recent" sorting={sorting} className="end" />
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => (
          <GroupRow key={group.id} group={group} by={by} isGone={gone.has(group.id)} selection={selection} />
        ))}
      </tbody>
    </table>
  );
}

const NONE: ReadonlySet<string> = new Set();

function GroupRow({
  group,
  by,
  isGone,
  selection,
}: {
  group: GroupInListFragment;
  by: string;
  isGone: boolean;
  selection: Selection | undefined;
}) {
  const { id, title, state, isRegression, assignee, count, deviceCount, lastSeenAt, models } = group;
  return (
    <tr data-gone={isGone}>
      <SelectCell selection={selection} id={id} name={title} />
      <td className="main-cell">
        <Link href={`/groups/${encodeURIComponent(id)}`} data-row className="row-link">
          {title}
        </Link>
        <div className="sub-line">
          {models.map(({ code }) => code).join(', ')} {versionsText(group.firmwareVersions)}
          {assignee != null && ` · ${assignee}`}
          <TagChips tags={group.tags} />
        </div>
      </td>
      <td className="wide">
        <Sparkline counts={group.crashes.map((bucket) => bucket.count)} />
      </td>
      <td className="number" data-unit={unitText(count, 'crash', 'crashes')}>
        {count.toLocaleString('en')}
      </td>
      <td className="number" data-unit={unitText(deviceCount, 'device')}>
        {deviceCount.toLocaleString('en')}
      </td>
      {by === 'rate' && <td className="number">{rateText(group.velocity)}</td>}
      <td>
        <GroupState state={state} isRegression={isRegression} />
      </td>
      {by === 'first' && (
        <td className="end">
          <Ago at={group.firstSeenAt} />
        </td>
      )}
      <td className="end">
        <Ago at={lastSeenAt} />
      </td>
    </tr>
  );
}

function rateText(velocity: number): string {
  return `${velocity < 0.1 ? '< 0.1' : velocity.toLocaleString('en', { maximumFractionDigits: 1 })} a day`;
}

const SHOWN_VERSIONS = 4;

function versionsText(versions: readonly string[]): string {
  const shown = versions.slice(0, SHOWN_VERSIONS).join(', ');
  return versions.length > SHOWN_VERSIONS ? `${shown} and ${versions.length - SHOWN_VERSIONS} more` : shown;
}
