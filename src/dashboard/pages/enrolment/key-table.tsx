import { useState } from 'react';
import { graphql } from '../../generated';
import type { KeyInListFragment } from '../../generated/graphql';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { countText, unitText } from '../../parts/sizes';
import { Ago } from '../../parts/time';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';
import { ForAdmins } from '../../session/role';

graphql(`
  fragment KeyInList on IngestKey {
    id name hint createdAt createdBy lastUsedAt revokedAt newDevicesPerHour requiresApproval deviceCount
    model { id code }
  }
`);
const RevokeIngestKey = graphql(`
  mutation RevokeIngestKey($id: ID!) { revokeIngestKey(input: { id: $id }) { ingestKey { id revokedAt } } }
`);

/** The ingest keys, each with what it may do, when it was last used, and how many devices it registered. */
export function KeyTable({ ingestKeys }: { ingestKeys: readonly KeyInListFragment[] }) {
  const [revoking, setRevoking] = useState<KeyInListFragment | null>(null);
  const { run } = useAction(RevokeIngestKey);
  const { show } = useToasts();

  async function revoke({ id, name }: KeyInListFragment) {
    if ((await run({ id })) !== undefined) show({ text: `The key ${name} is revoked` });
  }

  return (
    <>
      <table className="list">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Model</th>
            <th scope="col" className="end">
              Devices
            </th>
            <th scope="col">New devices</th>
            <th scope="col">Last used</th>
            <th scope="col" className="end">
              State
            </th>
          </tr>
        </thead>
        <tbody>
          {ingestKeys.map((ingestKey) => (
            <KeyRow key={ingestKey.id} ingestKey={ingestKey} onRevoke={() => setRevoking(ingestKey)} />
          ))}
        </tbody>
      </table>
      <ConfirmDialog
        title="Revoke this key?"
        action="Revoke key"
        isOpen={revoking !== null}
        onClose={() => setRevoking(null)}
        onConfirm={() => {
          if (revoking !== null) void revoke(revoking);
        }}
      >
        <p>
          From now on every upload with <b>{revoking?.name}</b> is refused (401), also those of the{' '}
          {countText(revoking?.deviceCount ?? 0, 'device')} that it registered. They upload again when their
          firmware has another key of the model. Their crashes stay.
        </p>
      </ConfirmDialog>
    </>
  );
}

function KeyRow({ ingestKey, onRevoke }: { ingestKey: KeyInListFragment; onRevoke: () => void }) {
  const { name, hint, model, deviceCount, newDevicesPerHour, requiresApproval, lastUsedAt, revokedAt } =
    ingestKey;
  return (
    <tr data-status={revokedAt == null ? undefined : 'REVOKED'}>
      <td className="name-cell">
        {name}
        <div className="sub-line mono">cdk_…{hint}</div>
      </td>
      <td className="mono">{model.code}</td>
      <td className="number" data-unit={unitText(deviceCount, 'device')}>
        {deviceCount.toLocaleString('en')}
      </td>
      <td>
        {newDevicesPerHour.toLocaleString('en')} an hour{requiresApproval && ', with approval'}
      </td>
      <td data-label="last used">
        {lastUsedAt == null ? <span className="count">never</span> : <Ago at={lastUsedAt} />}
      </td>
      <td className="end">
        {revokedAt != null && (
          <span className="count">
            revoked <Ago at={revokedAt} />
          </span>
        )}
        {revokedAt == null && (
          <ForAdmins>
            <button
              type="button"
              className="quiet-button"
              data-tone="danger"
              aria-label={`Revoke ${name}`}
              onClick={onRevoke}
            >
              Revoke
            </button>
          </ForAdmins>
        )}
      </td>
    </tr>
  );
}
