import { type FormEvent, useState } from 'react';
import { graphql } from '../../generated';
import type { GroupOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { Field } from '../../parts/field';
import { useAction } from '../../parts/use-action';
import { MergeDialog } from './merge-dialog';

const ResolveGroup = graphql(`
  mutation ResolveGroup($id: ID!, $inVersion: String) {
    resolveCrashGroup(input: { id: $id, inVersion: $inVersion }) { crashGroup { id state } }
  }
`);
const IgnoreGroup = graphql(`
  mutation IgnoreGroup($id: ID!) { ignoreCrashGroup(input: { id: $id }) { crashGroup { id state } } }
`);
const ReopenGroup = graphql(`
  mutation ReopenGroup($id: ID!) { reopenCrashGroup(input: { id: $id }) { crashGroup { id state } } }
`);

/** The actions on a group: resolve, ignore, reopen, merge. */
export function GroupActions({ group }: { group: GroupOnPageFragment }) {
  const [open, setOpen] = useState<'resolve' | 'merge' | null>(null);
  const ignore = useAction(IgnoreGroup);
  const reopen = useAction(ReopenGroup);
  const close = () => setOpen(null);
  return (
    <div className="actions">
      {group.state === 'OPEN' ? (
        <>
          <button type="button" className="button" data-tone="primary" onClick={() => setOpen('resolve')}>
            Resolve
          </button>
          <button
            type="button"
            className="button"
            disabled={ignore.isRunning}
            onClick={() => void ignore.run({ id: group.id })}
          >
            Ignore
          </button>
        </>
      ) : (
        <button
          type="button"
          className="button"
          disabled={reopen.isRunning}
          onClick={() => void reopen.run({ id: group.id })}
        >
          Reopen
        </button>
      )}
      <button type="button" className="button" onClick={() => setOpen('merge')}>
        Merge
      </button>
      <ResolveDialog group={group} isOpen={open === 'resolve'} onClose={close} />
      <MergeDialog group={group} isOpen={open === 'merge'} onClose={close} />
    </div>
  );
}

function ResolveDialog({
  group,
  isOpen,
  onClose,
}: {
  group: GroupOnPageFragment;
  isOpen: boolean;
  onClose: () => void;
}) {
  const resolve = useAction(ResolveGroup);
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const version = String(new FormData(event.currentTarget).get('version') ?? '').trim();
    const answer = await resolve.run({ id: group.id, inVersion: version === '' ? null : version });
    if (answer !== undefined) onClose();
  }
  return (
    <Dialog title="Resolve" isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={(event) => void submit(event)}>
        <Field
          label="Fixed in version"
          name="version"
          placeholder="The next one"
          hint={`A crash in that version or a later one opens the group again, as a regression. Seen so far: ${group.firmwareVersions.join(', ')}.`}
        />
        <div className="dialog-actions">
          <button type="submit" className="button" data-tone="primary" disabled={resolve.isRunning}>
            Resolve
          </button>
        </div>
      </form>
    </Dialog>
  );
}
