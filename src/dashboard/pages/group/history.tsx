import { graphql } from '../../generated';
import type { CrashGroupAction, GroupHistoryFragment } from '../../generated/graphql';
import { Ago } from '../../parts/time';

graphql(`
  fragment GroupHistory on CrashGroup {
    history(first: 20) { totalCount nodes { at actor action detail } }
  }
`);

const WORDS: Record<CrashGroupAction, string> = {
  RESOLVED: 'resolved it',
  IGNORED: 'set it to be ignored',
  REOPENED: 'opened it again',
  ASSIGNED: 'assigned it',
  NOTED: 'noted',
  MERGED: 'merged it',
  SPLIT: 'split it',
  TAGGED: 'changed its tags',
  CHANGED: 'changed it',
};

/** What people did to the group, the latest first. */
export function History({ group }: { group: GroupHistoryFragment }) {
  const { totalCount, nodes } = group.history;
  if (totalCount === 0) return null;
  return (
    <section className="card" aria-labelledby="history">
      <header className="card-head">
        <h2 id="history">History</h2>
        {totalCount > nodes.length && (
          <span className="count">
            last {nodes.length} of {totalCount}
          </span>
        )}
      </header>
      <ul className="history">
        {nodes.map(({ at, actor, action, detail }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: events have no id, and the list is read as a whole
          <li key={index}>
            <span>
              <b>{actor}</b> {WORDS[action] ?? WORDS.CHANGED}
              {detail != null && <span className="note-text">{detailText(action, detail)}</span>}
            </span>
            <Ago at={at} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A note is text of its own; the other details complete the sentence. */
function detailText(action: CrashGroupAction, detail: string): string {
  return action === 'NOTED' ? `: ${detail}` : ` ${detail}`;
}
