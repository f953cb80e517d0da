import { Link } from 'wouter';
import type { GroupOnPageFragment } from '../../generated/graphql';
import { CopyButton } from '../../parts/copy-button';
import { GroupState } from '../../parts/group-state';
import { OutsideLink } from '../../parts/outside-link';
import { countText } from '../../parts/sizes';
import { TextWithCode } from '../../parts/text-with-code';
import { Ago } from '../../parts/time';
import { ForAdmins } from '../../session/role';
import { GroupActions } from './group-actions';
import { GroupTags } from './group-tags';
import { IgnoredUntil } from './ignored-until';

/** What crashes, in plain English first, then in the device's words; how often, and what can be done. */
export function GroupHead({
  group,
  report,
}: {
  group: GroupOnPageFragment;
  /** Of the crash that is shown. */
  report: { reason: string; explanation?: string | null } | null;
}) {
  return (
    <header className="dump-head group-head" data-status={group.state === 'OPEN' ? 'ERROR' : 'SETTLED'}>
      <div className="dump-title">
        <h1>{group.title}</h1>
        {report?.explanation != null && (
          <p className="explanation">
            <TextWithCode text={report.explanation} />
          </p>
        )}
        <p className="reason-more">{(report?.reason ?? group.reason).split('\n')[0]}</p>
        <p className="dump-line">
          <GroupState state={group.state} isRegression={group.isRegression} />
          {group.state === 'RESOLVED' && group.resolvedInVersion != null && (
            <span>in {group.resolvedInVersion}</span>
          )}
          <IgnoredUntil group={group} />
          <b>{countText(group.count, 'crash', 'crashes')}</b>
          <b>{countText(group.deviceCount, 'device')}</b>
          <span>
            first <Ago at={group.firstSeenAt} />
          </span>
          <span>
            last <Ago at={group.lastSeenAt} />
          </span>
          {group.newTicketUrl != null && <OutsideLink href={group.newTicketUrl}>New ticket</OutsideLink>}
          <CopyButton text={group.id} label="Copy id" name="Copy id of the group" />
          <ForAdmins>
            <Link href={`/alerts?${new URLSearchParams({ group: group.id })}`}>Alerts for this group</Link>
          </ForAdmins>
        </p>
        <GroupTags groupId={group.id} tags={group.tags} />
      </div>
      <ForAdmins>
        <GroupActions group={group} />
      </ForAdmins>
      {group.isRegression && (
        <p className="notice" data-tone="danger">
          It was resolved and crashed again
          {group.regressedInVersion != null && ` in version ${group.regressedInVersion}`}.
        </p>
      )}
    </header>
  );
}
