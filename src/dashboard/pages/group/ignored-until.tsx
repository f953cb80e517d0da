import { graphql } from '../../generated';
import type { IgnoredUntilOnPageFragment } from '../../generated/graphql';
import { countText } from '../../parts/sizes';
import { Moment } from '../../parts/time';

graphql(`
  fragment IgnoredUntilOnPage on CrashGroup { ignoredUntil { crashesLeft at version } }
`);

/** Beside the state of an ignored group: what opens it again. */
export function IgnoredUntil({ group }: { group: IgnoredUntilOnPageFragment }) {
  const until = group.ignoredUntil;
  if (until == null) return null;
  if (until.crashesLeft != null)
    return <span>for {countText(until.crashesLeft, 'more crash', 'more crashes')}</span>;
  if (until.version != null) return <span>until {until.version} crashes</span>;
  return until.at == null ? null : (
    <span>
      until <Moment at={until.at} />
    </span>
  );
}
