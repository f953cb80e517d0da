import { type FormEvent, useId, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { BuildInListFragment, CoredumpFilter } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { ErrorNotice, Loading } from '../../parts/notices';
import { WAITING_FILTER } from '../../parts/parse-state';
import { countText } from '../../parts/sizes';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';

const DumpsToRead = graphql(`
  query DumpsToRead($filter: CoredumpFilter!) {
    coredumps(first: 200, filter: $filter) { totalCount nodes { id } }
  }
`);
const ReadDumpsWithBuild = graphql(`
  mutation ReadDumpsWithBuild($filter: CoredumpFilter!, $firmwareId: ID) {
    parseCoredumps(input: { filter: $filter, firmwareId: $firmwareId }) { count coredumpIds }
  }
`);

const UNDO_MS = 15_000;
/** As many as one call reads. */
const AT_ONCE = 200;

interface ReadWithBuildProps {
  modelCode: string;
  build: BuildInListFragment | null;
  onClose: () => void;
}

/** Reads dumps that wait, or that crashed in a version, with a build that a person chooses. */
export function ReadWithBuild({ modelCode, build, onClose }: ReadWithBuildProps) {
  return (
    <Dialog title="Read dumps with this build" isOpen={build !== null} onClose={onClose}>
      {build !== null && <ReadForm modelCode={modelCode} build={build} onClose={onClose} />}
    </Dialog>
  );
}

function ReadForm({ modelCode, build, onClose }: ReadWithBuildProps & { build: BuildInListFragment }) {
  const group = useId();
  const [which, setWhich] = useState<'waiting' | 'version'>('waiting');
  const [version, setVersion] = useState(build.version);
  const { run, isRunning } = useAction(ReadDumpsWithBuild);
  const { show } = useToasts();
  const filter: CoredumpFilter = {
    modelCode: [modelCode],
    hasRaw: true,
    ...(which === 'waiting' ? WAITING_FILTER : { crashVersion: [version.trim()] }),
  };
  const [{ data, fetching, error }] = useQuery({ query: DumpsToRead, variables: { filter } });
  const dumps = data?.coredumps;
  const ids = dumps?.nodes.map(({ id }) => id) ?? [];

  async function submit(event: FormEvent) {
    event.preventDefault();
    // By their ids: exactly the dumps that were shown.
    const answer = await run({ filter: { id: ids }, firmwareId: build.id });
    if (answer === undefined) return;
    const { count, coredumpIds } = answer.parseCoredumps;
    show({
      text: `${countText(count, 'dump')} will be read with ${build.version}`,
      lastsMs: UNDO_MS,
      action: { name: 'Undo', run: () => void run({ filter: { id: coredumpIds }, firmwareId: null }) },
    });
    onClose();
  }

  return (
    <form className="dialog-body" onSubmit={(event) => void submit(event)}>
      <p className="hint">
        Each dump is read again with <span className="mono">{build.version}</span> (
        <span className="mono">{build.elfSha256.slice(0, 12)}…</span>
        {build.chip != null && `, ${build.chip}`}), whatever build it names. The choice lasts until it is
        undone. Another build than the device ran gives names only if its code fits. Dumps from another chip
        are refused.
      </p>
      <fieldset className="choices">
        <legend className="hint">Which dumps</legend>
        <label>
          <input
            type="radio"
            name={group}
            checked={which === 'waiting'}
            onChange={() => setWhich('waiting')}
          />{' '}
          that wait for a build
        </label>
        <label>
          <input
            type="radio"
            name={group}
            checked={which === 'version'}
            onChange={() => setWhich('version')}
          />{' '}
          that crashed in a version
        </label>
      </fieldset>
      {which === 'version' && (
        <Field label="Version" value={version} onChange={({ target }) => setVersion(target.value)} />
      )}
      <div className="notice" role="status">
        {dumps === undefined && fetching && <Loading />}
        {error !== undefined && <ErrorNotice error={error} />}
        {dumps != null && (
          <p>
            {dumps.totalCount > AT_ONCE
              ? `The newest ${AT_ONCE} of ${countText(dumps.totalCount, 'dump')} are read; repeat it for the others.`
              : `${countText(dumps.totalCount, 'dump')} ${dumps.totalCount === 1 ? 'is' : 'are'} read again.`}
          </p>
        )}
      </div>
      <DialogActions
        submit="Read with this build"
        onCancel={onClose}
        isDisabled={ids.length === 0 || isRunning || fetching}
      />
    </form>
  );
}
