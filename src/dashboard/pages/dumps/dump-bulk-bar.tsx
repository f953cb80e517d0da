import { graphql } from '../../generated';
import { BulkBar } from '../../parts/bulk-bar';
import { countText } from '../../parts/sizes';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';
import type { Selection } from '../../parts/use-selection';
import { useDeleteDumps } from './delete-dump';

const ReadAgain = graphql(`
  mutation ReadDumpsAgain($ids: [ID!]!) { reparseCoredumps(input: { filter: { id: $ids } }) { count } }
`);

/** What admins do with several dumps. */
export function DumpBulkBar({ selection }: { selection: Selection }) {
  const deleteDumps = useDeleteDumps();
  const { run, isRunning } = useAction(ReadAgain);
  const { show } = useToasts();
  const ids = [...selection.ids];

  async function readAgain(): Promise<void> {
    const answer = await run({ ids });
    if (answer === undefined) return;
    selection.clear();
    show({ text: `${countText(answer.reparseCoredumps.count, 'dump')} will be read again` });
  }
  return (
    <BulkBar selection={selection}>
      <button type="button" className="button" disabled={isRunning} onClick={() => void readAgain()}>
        Read again
      </button>
      <button
        type="button"
        className="button"
        data-tone="danger"
        onClick={() => {
          deleteDumps(ids, `${countText(ids.length, 'dump')} ${ids.length === 1 ? 'is' : 'are'} deleted`);
          selection.clear();
        }}
      >
        Delete
      </button>
    </BulkBar>
  );
}
