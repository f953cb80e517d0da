import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { EnrolledDeviceFragment } from '../../generated/graphql';
import { ApprovalMark } from '../../parts/approval-mark';
import { Ago } from '../../parts/time';

graphql(`
  fragment EnrolledDevice on Device {
    id key serial name createdAt approval lastBootAt lastBootVersion lastSeenAt
    model { id code }
    ingestKey { id name }
  }
`);

/** A device with how it was registered, what it runs, and whether it may upload. */
export function EnrolledRow({
  device,
  isAdmin,
  isSelected,
  onSelect,
  onApprove,
  onReject,
}: {
  device: EnrolledDeviceFragment;
  isAdmin: boolean;
  isSelected: boolean;
  onSelect: (isSelected: boolean) => void;
  onApprove: () => void;
  onReject: () => void;
}) {
  const { key, serial, name, model, createdAt, ingestKey, approval, lastBootAt, lastBootVersion } = device;
  const shownName = name ?? serial ?? key;
  return (
    <tr>
      {isAdmin && (
        <td className="choice-cell">
          <input
            type="checkbox"
            aria-label={`Select ${shownName}`}
            checked={isSelected}
            onChange={({ target }) => onSelect(target.checked)}
          />
        </td>
      )}
      <td className="name-cell">
        <Link href={`/devices/${key}`} data-row className="device-link">
          {shownName}
        </Link>
        <div className="sub-line mono">
          {[serial, key].filter((text) => text != null && text !== shownName).join(' · ')}
        </div>
      </td>
      <td className="mono">{model.code}</td>
      <td data-label="registered">
        <Ago at={createdAt} />
        <div className="sub-line">{ingestKey == null ? 'without a key' : `by ${ingestKey.name}`}</div>
      </td>
      <td data-label="last boot">
        {lastBootAt == null ? (
          <span className="count">none</span>
        ) : (
          <>
            <span className="mono">{lastBootVersion}</span>
            <div className="sub-line">
              <Ago at={lastBootAt} />
            </div>
          </>
        )}
      </td>
      <td>
        <ApprovalMark approval={approval} />
      </td>
      {isAdmin && (
        <td className="end">
          {approval !== 'APPROVED' && (
            <button
              type="button"
              className="quiet-button"
              aria-label={`Approve ${shownName}`}
              onClick={onApprove}
            >
              Approve
            </button>
          )}
          {approval !== 'REJECTED' && (
            <button
              type="button"
              className="quiet-button"
              data-tone="danger"
              aria-label={`Reject ${shownName}`}
              onClick={onReject}
            >
              Reject
            </button>
          )}
        </td>
      )}
    </tr>
  );
}
