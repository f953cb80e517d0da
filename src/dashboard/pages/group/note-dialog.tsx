import { type FormEvent, useId } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { GroupNoteOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { useAction } from '../../parts/use-action';

export const AssignGroup = graphql(`
  mutation AssignGroup($id: ID!, $assignee: String) {
    assignCrashGroup(input: { id: $id, assignee: $assignee }) { crashGroup { id assignee } }
  }
`);
const NoteGroup = graphql(`
  mutation NoteGroup($id: ID!, $note: String) {
    noteCrashGroup(input: { id: $id, note: $note }) { crashGroup { id note } }
  }
`);
const LinkTicket = graphql(`
  mutation LinkTicket($id: ID!, $ticketUrl: String) {
    linkCrashGroupTicket(input: { id: $id, ticketUrl: $ticketUrl }) { crashGroup { id ticketUrl } }
  }
`);
const People = graphql(`query People { assigneeSuggestions(first: 200) }`);

/** Changes assignee, ticket and note; only what is another than before is sent. */
export function NoteDialog({
  group,
  isOpen,
  onClose,
}: {
  group: GroupNoteOnPageFragment;
  isOpen: boolean;
  onClose: () => void;
}) {
  const noteId = useId();
  const listId = useId();
  const [{ data }] = useQuery({ query: People, pause: !isOpen });
  const assign = useAction(AssignGroup);
  const note = useAction(NoteGroup);
  const link = useAction(LinkTicket);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || null;
    const [assignee, ticketUrl, noted] = [text('assignee'), text('ticketUrl'), text('note')];
    const { id } = group;
    const isDone =
      (assignee === (group.assignee ?? null) || (await assign.run({ id, assignee })) !== undefined) &&
      (ticketUrl === (group.ticketUrl ?? null) || (await link.run({ id, ticketUrl })) !== undefined) &&
      (noted === (group.note ?? null) || (await note.run({ id, note: noted })) !== undefined);
    if (isDone) onClose();
  }

  return (
    <Dialog title="Assignee and note" isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={(event) => void submit(event)}>
        <Field
          label="Assignee"
          name="assignee"
          defaultValue={group.assignee ?? ''}
          placeholder="Nobody"
          maxLength={200}
          list={listId}
          autoComplete="off"
        />
        <datalist id={listId}>
          {data?.assigneeSuggestions?.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <Field
          label="Ticket"
          name="ticketUrl"
          type="url"
          pattern="https://.+"
          title="An address that begins with https://"
          defaultValue={group.ticketUrl ?? ''}
          placeholder="https://…"
          maxLength={2_000}
        />
        <div className="labelled field">
          <label htmlFor={noteId}>Note</label>
          <textarea id={noteId} name="note" rows={5} maxLength={10_000} defaultValue={group.note ?? ''} />
        </div>
        <DialogActions submit="Save" isDisabled={assign.isRunning || note.isRunning || link.isRunning} />
      </form>
    </Dialog>
  );
}
