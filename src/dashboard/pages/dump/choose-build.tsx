import { type FormEvent, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { DumpOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { ErrorNotice, Loading } from '../../parts/notices';
import { Ago } from '../../parts/time';
import { useAction } from '../../parts/use-action';

const BuildsToChoose = graphql(`
  query BuildsToChoose($code: String!, $filter: FirmwareFilter) {
    deviceModel(code: $code) {
      id firmwares(first: 30, filter: $filter) { totalCount nodes { id version elfVersion chip elfSha256 uploadedAt } }
    }
  }
`);
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
  const [words, setWords] = useState('');
  const [{ data, fetching, error }] = useQuery({
    query: BuildsToChoose,
    variables: {
      code: dump.device.model.code,
      filter: words.trim() === '' ? null : { search: words },
    },
    pause: !isOpen,
  });
  const read = useAction(ReadWithBuild);
  const builds = data?.deviceModel?.firmwares.nodes ?? [];

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const firmwareId = String(new FormData(event.currentTarget).get('build') ?? '');
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
        <input
          type="search"
          className="narrow-search"
          aria-label="Find a build"
          placeholder="Version, chip or SHA-256"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
        <fieldset className="choices">
          <legend className="visually-hidden">Build</legend>
          {builds.map(({ id, version, elfVersion, chip, elfSha256, uploadedAt }) => (
            <label key={id}>
              <input type="radio" name="build" value={id} required /> <span className="mono">{version}</span>
              {elfVersion != null && elfVersion !== version && <> (ELF says {elfVersion})</>}{' '}
              <span className="count">
                {chip ?? 'chip unknown'} · <span className="mono">{elfSha256.slice(0, 12)}…</span> ·{' '}
                <Ago at={uploadedAt} />
              </span>
            </label>
          ))}
          {fetching && builds.length === 0 && <Loading />}
          {error !== undefined && <ErrorNotice error={error} />}
          {data !== undefined && !fetching && builds.length === 0 && (
            <p className="count">No build of {dump.device.model.code} matches.</p>
          )}
        </fieldset>
        <DialogActions submit="Read with this build" isDisabled={builds.length === 0 || read.isRunning} />
      </form>
    </Dialog>
  );
}
