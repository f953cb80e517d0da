import { type FormEvent, useState } from 'react';
import { useClient } from 'urql';
import { graphql } from '../../generated';
import type { ChangeCrashGroupsInput, GroupInListFragment } from '../../generated/graphql';
import { BulkBar } from '../../parts/bulk-bar';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { countText } from '../../parts/sizes';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';
import type { Selection } from '../../parts/use-selection';
import { useMergeGroups } from './use-merge-groups';

const ChangeGroups = graphql(`
  mutation ChangeSelectedGroups($input: ChangeCrashGroupsInput!) {
    changeCrashGroups(input: $input) { groups { id state assignee } undo }
  }
`);
const RestoreGroups = graphql(`
  mutation RestoreSelectedGroups($groups: [String!]!) {
    restoreCrashGroups(input: { groups: $groups }) { groups { id state } refused { __typename } }
  }
`);

const UNDO_MS = 10_000;

type Asking = 'resolve' | 'assign' | null;

/** What admins do with several groups. Each action can be undone for some seconds. */
export function GroupBulkBar({
  selection,
  groups,
}: {
  selection: Selection;
  /** The rows that are shown. */
  groups: readonly GroupInListFragment[];
}) {
  const { run, isRunning } = useAction(ChangeGroups);
  const { run: restore } = useAction(RestoreGroups);
  const { show } = useToasts();
  const merge = useMergeGroups(useClient());
  const [asking, setAsking] = useState<Asking>(null);
  const chosen = groups.filter(({ id }) => selection.has(id));

  async function change(values: Omit<ChangeCrashGroupsInput, 'groupIds'>, done: string): Promise<void> {
    const answer = await run({ input: { groupIds: chosen.map(({ id }) => id), ...values } });
    if (answer === undefined) return;
    selection.clear();
    setAsking(null);
    const { groups: changed, undo } = answer.changeCrashGroups;
    show({
      text: `${countText(changed.length, 'group')} ${done}`,
      lastsMs: UNDO_MS,
      action: { name: 'Undo', run: () => void restoreAll(undo) },
    });
  }

  async function restoreAll(undo: readonly string[]): Promise<void> {
    const answer = await restore({ groups: [...undo] });
    const refused = answer?.restoreCrashGroups.refused.length ?? 0;
    if (refused > 0)
      show({
        text: `${countText(refused, 'group')} changed meanwhile and ${refused === 1 ? 'stays' : 'stay'}`,
        isError: true,
      });
  }

  return (
    <>
      <BulkBar selection={selection}>
        <button type="button" className="button" onClick={() => setAsking('resolve')}>
          Resolve…
        </button>
        <button
          type="button"
          className="button"
          disabled={isRunning}
          onClick={() =>
            void change({ state: 'IGNORED' }, chosen.length === 1 ? 'is ignored' : 'are ignored')
          }
        >
          Ignore
        </button>
        <button type="button" className="button" onClick={() => setAsking('assign')}>
          Assign…
        </button>
        <button
          type="button"
          className="button"
          disabled={chosen.length < 2}
          onClick={() => void merge(chosen).then((isDone) => isDone && selection.clear())}
        >
          Merge
        </button>
      </BulkBar>
      <AskDialog
        title={`Resolve ${countText(chosen.length, 'group')}`}
        label="Fixed in version"
        hint="Empty: the next version. A crash in the version or a later one opens a group again."
        action="Resolve"
        isOpen={asking === 'resolve'}
        onClose={() => setAsking(null)}
        onAnswer={(version) =>
          void change(
            { state: 'RESOLVED', ...(version === '' ? {} : { resolvedInVersion: version }) },
            chosen.length === 1 ? 'is resolved' : 'are resolved',
          )
        }
      />
      <AskDialog
        title={`Assign ${countText(chosen.length, 'group')}`}
        label="Assignee"
        hint="Empty: nobody."
        action="Assign"
        isOpen={asking === 'assign'}
        onClose={() => setAsking(null)}
        onAnswer={(person) =>
          void change(
            { assignee: person === '' ? null : person },
            chosen.length === 1 ? 'is assigned' : 'are assigned',
          )
        }
      />
    </>
  );
}

function AskDialog({
  title,
  label,
  hint,
  action,
  isOpen,
  onClose,
  onAnswer,
}: {
  title: string;
  label: string;
  hint: string;
  action: string;
  isOpen: boolean;
  onClose: () => void;
  onAnswer: (text: string) => void;
}) {
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    onAnswer(String(new FormData(event.currentTarget).get('answer')).trim());
  }
  return (
    <Dialog title={title} isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={submit}>
        <label className="field">
          {label}
          <input name="answer" maxLength={200} />
        </label>
        <p className="hint">{hint}</p>
        <DialogActions submit={action} onCancel={onClose} />
      </form>
    </Dialog>
  );
}
