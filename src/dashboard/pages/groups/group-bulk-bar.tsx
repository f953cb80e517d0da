import { type FormEvent, useState } from 'react';
import { useClient } from 'urql';
import { graphql } from '../../generated';
import type { GroupInListFragment, UpdateCrashGroupsInput } from '../../generated/graphql';
import { BulkBar } from '../../parts/bulk-bar';
import { Dialog } from '../../parts/dialog';
import { countText } from '../../parts/sizes';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';
import type { Selection } from '../../parts/use-selection';
import { useMergeGroups } from './use-merge-groups';

const UpdateGroups = graphql(`
  mutation UpdateGroups($input: UpdateCrashGroupsInput!) {
    updateCrashGroups(input: $input) { crashGroups { id state assignee } }
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
  const { run, isRunning } = useAction(UpdateGroups);
  const { show } = useToasts();
  const merge = useMergeGroups(useClient());
  const [asking, setAsking] = useState<Asking>(null);
  const chosen = groups.filter(({ id }) => selection.has(id));

  async function change(values: Omit<UpdateCrashGroupsInput, 'ids'>, done: string): Promise<void> {
    const before = chosen;
    if ((await run({ input: { ids: before.map(({ id }) => id), ...values } })) === undefined) return;
    selection.clear();
    setAsking(null);
    show({
      text: `${countText(before.length, 'group')} ${done}`,
      lastsMs: UNDO_MS,
      action: { name: 'Undo', run: () => void undo(before, values.state == null) },
    });
  }

  /** Groups that were alike go back together. */
  async function undo(before: readonly GroupInListFragment[], isAssignment: boolean): Promise<void> {
    const alike = new Map<string, GroupInListFragment[]>();
    for (const group of before) {
      const { state, resolvedInVersion, assignee } = group;
      const key = JSON.stringify(isAssignment ? [assignee] : [state, resolvedInVersion]);
      alike.set(key, [...(alike.get(key) ?? []), group]);
    }
    for (const some of alike.values()) {
      const [first] = some;
      if (first === undefined) continue;
      const version =
        first.state === 'RESOLVED' ? { resolvedInVersion: first.resolvedInVersion ?? null } : {};
      const values = isAssignment ? { assignee: first.assignee ?? null } : { state: first.state, ...version };
      await run({ input: { ids: some.map(({ id }) => id), ...values } });
    }
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
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button" data-tone="primary">
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
