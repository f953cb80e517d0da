import { useState } from 'react';
import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { BuildInListFragment, ModelOnPageFragment } from '../../generated/graphql';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { OutsideLink } from '../../parts/outside-link';
import { ReleaseLink } from '../../parts/release-link';
import { bytesText, unitText } from '../../parts/sizes';
import { Ago } from '../../parts/time';
import { useAction } from '../../parts/use-action';
import { ForAdmins } from '../../session/role';
import { ReadWithBuild } from './read-with-build';

graphql(`
  fragment BuildInList on Firmware {
    id version elfVersion revision revisionUrl chip elfSha256 size uploadedAt elfLostAt coredumpCount warnings { code message }
  }
`);
const DeleteBuild = graphql(`
  mutation DeleteBuild($id: ID!) { deleteFirmware(input: { id: $id }) { deletedFirmwareId } }
`);

/** The builds of a model, newest first; a version may have several. */
export function BuildTable({
  builds,
  model,
}: {
  builds: readonly BuildInListFragment[];
  model: ModelOnPageFragment;
}) {
  const [toDelete, setToDelete] = useState<BuildInListFragment | null>(null);
  const [toReadWith, setToReadWith] = useState<BuildInListFragment | null>(null);
  const { run } = useAction(DeleteBuild);
  return (
    <>
      <table className="list">
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">ELF SHA-256</th>
            <th scope="col" className="wide">
              Chip
            </th>
            <th scope="col" className="end wide">
              Size
            </th>
            <th scope="col" className="end">
              Dumps
            </th>
            <th scope="col" className="end">
              Uploaded
            </th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {builds.map((build) => (
            <BuildRow
              key={build.id}
              build={build}
              model={model}
              onReadWith={() => setToReadWith(build)}
              onDelete={() => setToDelete(build)}
            />
          ))}
        </tbody>
      </table>
      <ReadWithBuild modelCode={model.code} build={toReadWith} onClose={() => setToReadWith(null)} />
      <ConfirmDialog
        title="Delete this build?"
        action="Delete build"
        isOpen={toDelete !== null}
        onClose={() => setToDelete(null)}
        onConfirm={() => {
          if (toDelete !== null) void run({ id: toDelete.id });
        }}
      >
        <p>
          The ELF of {toDelete?.version} is deleted. Dumps that were parsed with it keep their report, and
          cannot be parsed again without it.
        </p>
      </ConfirmDialog>
    </>
  );
}

function BuildRow({
  build,
  model,
  onReadWith,
  onDelete,
}: {
  build: BuildInListFragment;
  model: ModelOnPageFragment;
  onReadWith: () => void;
  onDelete: () => void;
}) {
  const {
    version,
    elfVersion,
    revision,
    revisionUrl,
    chip,
    elfSha256,
    size,
    uploadedAt,
    elfLostAt,
    coredumpCount,
    warnings,
  } = build;
  return (
    <tr>
      <td className="name-cell">
        <ReleaseLink model={model.code} version={version} />
        {elfVersion != null && elfVersion !== version && (
          <div className="sub-line">The ELF says {elfVersion}</div>
        )}
        {revision != null && (
          <div className="sub-line mono" title={`Built from ${revision}`}>
            {revisionUrl == null ? (
              revision.slice(0, 12)
            ) : (
              <OutsideLink href={revisionUrl} label={`Sources of ${revision}`}>
                {revision.slice(0, 12)}
              </OutsideLink>
            )}
          </div>
        )}
        {revision == null && model.links.sourceUrl?.includes('{revision}') === true && (
          <div className="sub-line">No revision: its frames lead to no source</div>
        )}
      </td>
      <td className="mono" title={elfSha256}>
        {elfSha256.slice(0, 16)}…
        {elfLostAt != null && (
          <div className="sub-line">Its file is missing from the storage: upload it again.</div>
        )}
        {warnings.map(({ code, message }) => (
          <div key={code} className="build-warning">
            {message}
          </div>
        ))}
      </td>
      <td className="wide mono">{chip ?? '—'}</td>
      <td className="number wide">{bytesText(size)}</td>
      <td className="number" data-unit={unitText(coredumpCount, 'dump')}>
        {coredumpCount === 0 ? (
          0
        ) : (
          <Link href={`/dumps?${new URLSearchParams({ build: build.id })}`} data-row>
            {coredumpCount}
          </Link>
        )}
      </td>
      <td className="end">
        <Ago at={uploadedAt} />
      </td>
      <td className="end">
        <ForAdmins>
          <button
            type="button"
            className="quiet-button"
            aria-label={`Read with… ${version}`}
            onClick={onReadWith}
          >
            Read with…
          </button>
          <button
            type="button"
            className="quiet-button"
            data-tone="danger"
            aria-label={`Delete ${version}`}
            onClick={onDelete}
          >
            Delete
          </button>
        </ForAdmins>
      </td>
    </tr>
  );
}
