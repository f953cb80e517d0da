import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { GroupInListFragment } from '../../generated/graphql';
import { GroupState } from '../../parts/group-state';
import { unitText } from '../../parts/sizes';
import { Sparkline } from '../../parts/sparkline';
import { TagChips } from '../../parts/tag-chip';
import { Ago } from '../../parts/time';

graphql(`
  fragment GroupInList on CrashGroup {
    id title reason state isRegression assignee count deviceCount lastSeenAt firmwareVersions
    models { id code }
    tags { ...TagOnChip }
    crashes(unit: DAY) { start count }
  }
`);

/** Crash groups; each row leads to its page. */
export function GroupTable({ groups }: { groups: readonly GroupInListFragment[] }) {
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Crash</th>
          <th scope="col" className="wide">
            30 days
          </th>
          <th scope="col" className="end">
            Crashes
          </th>
          <th scope="col" className="end">
            Devices
          </th>
          <th scope="col">State</th>
          <th scope="col" className="end">
            Last seen
          </th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => (
          <GroupRow key={group.id} group={group} />
        ))}
      </tbody>
    </table>
  );
}

function GroupRow({ group }: { group: GroupInListFragment }) {
  const { id, title, state, isRegression, assignee, count, deviceCount, lastSeenAt, models } = group;
  return (
    <tr>
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
      <td>
        <GroupState state={state} isRegression={isRegression} />
      </td>
      <td className="end">
        <Ago at={lastSeenAt} />
      </td>
    </tr>
  );
}

const SHOWN_VERSIONS = 4;

function versionsText(versions: readonly string[]): string {
  const shown = versions.slice(0, SHOWN_VERSIONS).join(', ');
  return versions.length > SHOWN_VERSIONS ? `${shown} and ${versions.length - SHOWN_VERSIONS} more` : shown;
}
