import { useMemo, useState } from 'react';
import { graphql } from '../../generated';
import type { GroupOnPageFragment } from '../../generated/graphql';
import { useAction } from '../../parts/use-action';
import { useKeptFocus } from '../../parts/use-kept-focus';
import { usePageKeys } from '../../shell/page-keys';
import { IgnoreDialog } from './ignore-dialog';
import { MergeDialog } from './merge-dialog';
import { ResolveDialog } from './resolve-dialog';

const ReopenGroup = graphql(`
  mutation ReopenGroup($id: ID!) { reopenCrashGroup(input: { id: $id }) { crashGroup { id state } } }
`);

/** The actions on a group: resolve (`r`), ignore (`i`), reopen, merge. */
export function GroupActions({ group }: { group: GroupOnPageFragment }) {
  const [open, setOpen] = useState<'resolve' | 'ignore' | 'merge' | null>(null);
  const reopen = useAction(ReopenGroup);
  const area = useKeptFocus<HTMLDivElement>();
  const close = () => setOpen(null);
  usePageKeys(useMemo(() => ({ r: () => setOpen('resolve'), i: () => setOpen('ignore') }), []));
  return (
    <div className="actions" ref={area}>
      {group.state === 'OPEN' ? (
        <>
          <button type="button" className="button" data-tone="primary" onClick={() => setOpen('resolve')}>
            Resolve
          </button>
          <button type="button" className="button" onClick={() => setOpen('ignore')}>
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
      <IgnoreDialog group={group} isOpen={open === 'ignore'} onClose={close} />
      <MergeDialog group={group} isOpen={open === 'merge'} onClose={close} />
    </div>
  );
}
