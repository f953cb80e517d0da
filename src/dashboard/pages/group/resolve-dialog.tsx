import { type FormEvent, useId } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { GroupOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { useAction } from '../../parts/use-action';

const ResolveGroup = graphql(`
  mutation ResolveGroup($id: ID!, $inVersion: String) {
    resolveCrashGroup(input: { id: $id, inVersion: $inVersion }) { crashGroup { id state } }
  }
`);
const VersionsOfGroup = graphql(`
  query VersionsOfGroup($id: ID!) {
    crashGroup(id: $id) { id models { id firmwares(first: 20) { nodes { id version } } } }
  }
`);

/** Resolves a group in a version, which may be any; those of the models' builds are suggested. */
export function ResolveDialog({
  group,
  isOpen,
  onClose,
}: {
  group: Pick<GroupOnPageFragment, 'id' | 'firmwareVersions'>;
  isOpen: boolean;
  onClose: () => void;
}) {
  const listId = useId();
  const resolve = useAction(ResolveGroup);
  const [{ data }] = useQuery({ query: VersionsOfGroup, variables: { id: group.id }, pause: !isOpen });
  const built =
    data?.crashGroup?.models.flatMap(({ firmwares }) => firmwares.nodes.map((build) => build.version)) ?? [];
  const versions = [...new Set([...built, ...group.firmwareVersions])];

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
          maxLength={64}
          list={listId}
          autoComplete="off"
          hint={`A crash in that version or a later one opens the group again, as a regression. Seen so far: ${group.firmwareVersions.join(', ')}.`}
        />
        <datalist id={listId}>
          {versions.map((version) => (
            <option key={version} value={version} />
          ))}
        </datalist>
        <DialogActions submit="Resolve" isDisabled={resolve.isRunning} />
      </form>
    </Dialog>
  );
}
