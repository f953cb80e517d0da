import { type FormEvent, useId, useState } from 'react';
import { graphql } from '../../generated';
import type { GroupOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { Field } from '../../parts/field';
import { useAction } from '../../parts/use-action';
import { ForAdmins } from '../../session/role';

const AssignGroup = graphql(`
  mutation AssignGroup($id: ID!, $assignee: String) {
    assignCrashGroup(input: { id: $id, assignee: $assignee }) { crashGroup { id assignee } }
  }
`);
const NoteGroup = graphql(`
  mutation NoteGroup($id: ID!, $note: String) {
    noteCrashGroup(input: { id: $id, note: $note }) { crashGroup { id note } }
  }
`);

/** The group's assignee and note. */
export function GroupNote({ group }: { group: GroupOnPageFragment }) {
  const [isOpen, setOpen] = useState(false);
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
          <dd>{group.assignee ?? <span className="count">nobody</span>}</dd>
        </div>
        <div>
          <dt>Note</dt>
          <dd className="note-text">{group.note ?? <span className="count">none</span>}</dd>
        </div>
      </dl>
      <NoteDialog group={group} isOpen={isOpen} onClose={() => setOpen(false)} />
    </section>
  );
}

function NoteDialog({
  group,
  isOpen,
  onClose,
}: {
  group: GroupOnPageFragment;
  isOpen: boolean;
  onClose: () => void;
}) {
  const noteId = useId();
  const assign = useAction(AssignGroup);
  const note = useAction(NoteGroup);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || null;
    const answers = [
      await assign.run({ id: group.id, assignee: text('assignee') }),
      await note.run({ id: group.id, note: text('note') }),
    ];
    if (answers.every((answer) => answer !== undefined)) onClose();
  }

  return (
    <Dialog title="Assignee and note" isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={(event) => void submit(event)}>
        <Field label="Assignee" name="assignee" defaultValue={group.assignee ?? ''} placeholder="Nobody" />
        <div className="labelled field">
          <label htmlFor={noteId}>Note</label>
          <textarea id={noteId} name="note" rows={5} defaultValue={group.note ?? ''} />
        </div>
        <div className="dialog-actions">
          <button
            type="submit"
            className="button"
            data-tone="primary"
            disabled={assign.isRunning || note.isRunning}
          >
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
