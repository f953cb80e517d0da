import type { FormEvent } from 'react';
import { graphql } from '../../generated';
import type { DumpOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { useAction } from '../../parts/use-action';
import { BuildChoice } from './build-choice';

const ReadWithBuild = graphql(`
  mutation ReadWithBuild($id: ID!, $firmwareId: ID!) {
    parseCoredump(input: { id: $id, firmwareId: $firmwareId }) { coredump { id parseStatus } }
  }
`);

/** Reads a dump with a build that a person chooses among those of its model, whatever build it names. */
export function ChooseBuild({
  dump,
  isOpen,
  onClose,
}: {
  dump: DumpOnPageFragment;
  isOpen: boolean;
  onClose: () => void;
}) {
  const read = useAction(ReadWithBuild);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const firmwareId = String(new FormData(event.currentTarget).get('build') ?? '');
    if (firmwareId === '') return;
    if ((await read.run({ id: dump.id, firmwareId })) !== undefined) onClose();
  }

  return (
    <Dialog title="Read with another build" isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={(event) => void submit(event)}>
        <p className="hint">
          For a dump that cannot name its build, or whose device reported a wrong version. The choice lasts
          until it is undone. Another build than the device ran gives names only if its code fits the dump. A
          build for another chip than the dump’s is refused.
        </p>
        <BuildChoice modelCode={dump.device.model.code} />
        <DialogActions submit="Read with this build" isDisabled={read.isRunning} />
      </form>
    </Dialog>
  );
}
