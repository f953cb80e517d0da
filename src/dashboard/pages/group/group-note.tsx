import { useMemo, useState, useSyncExternalStore } from 'react';
import { graphql } from '../../generated';
import type { GroupNoteOnPageFragment } from '../../generated/graphql';
import { ExternalLink, LinkedText } from '../../parts/linked-text';
import { useAction } from '../../parts/use-action';
import { ForAdmins } from '../../session/role';
import { onSessionChange, sessionState } from '../../session/session';
import { usePageKeys } from '../../shell/page-keys';
import { AssignGroup, NoteDialog } from './note-dialog';

graphql(`
  fragment GroupNoteOnPage on CrashGroup { id assignee note ticketUrl }
`);

/** The group's assignee, ticket and note. */
export function GroupNote({ group }: { group: GroupNoteOnPageFragment }) {
  const [isOpen, setOpen] = useState(false);
  const none = <span className="count">none</span>;
  return (
    <section className="card" aria-labelledby="note">
      <header className="card-head">
        <h2 id="note">Assignee and note</h2>
        <ForAdmins>
          <button type="button" className="quiet-button" onClick={() => setOpen(true)}>
            Edit
          </button>
        </ForAdmins>
      </header>
      <dl className="facts">
        <div>
          <dt>Assignee</dt>
          <dd>
            {group.assignee ?? <span className="count">nobody</span>}
            <ForAdmins>
              <AssignToMe group={group} onAssign={setOpen} />
            </ForAdmins>
          </dd>
        </div>
        <div>
          <dt>Ticket</dt>
          <dd className="ticket">
            {group.ticketUrl == null ? (
              none
            ) : (
              <ExternalLink href={group.ticketUrl}>{group.ticketUrl}</ExternalLink>
            )}
          </dd>
        </div>
        <div>
          <dt>Note</dt>
          <dd>{group.note == null ? none : <LinkedText text={group.note} />}</dd>
        </div>
      </dl>
      <NoteDialog group={group} isOpen={isOpen} onClose={() => setOpen(false)} />
    </section>
  );
}

/** Without authentication nobody has a name. The key `a` assigns to somebody, in the dialog. */
function AssignToMe({
  group,
  onAssign,
}: {
  group: GroupNoteOnPageFragment;
  onAssign: (isOpen: boolean) => void;
}) {
  usePageKeys(useMemo(() => ({ a: () => onAssign(true) }), [onAssign]));
  const assign = useAction(AssignGroup);
  const { person } = useSyncExternalStore(onSessionChange, sessionState);
  if (person === null || person.name === group.assignee) return null;
  return (
    <button
      type="button"
      className="quiet-button inline-button"
      disabled={assign.isRunning}
      onClick={() => void assign.run({ id: group.id, assignee: person.name })}
    >
      Assign to me
    </button>
  );
}
