import { useContext, useState } from 'react';
import type { EnrolledDeviceFragment } from '../../generated/graphql';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { ApproveDevice, RejectDevice } from '../../parts/decide-devices';
import { countText } from '../../parts/sizes';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';
import { RoleContext } from '../../session/role';
import { EnrolledRow } from './enrolled-row';

interface EnrolledDevicesProps {
  devices: readonly EnrolledDeviceFragment[];
  totalCount: number;
  waitingCount: number;
  /** Empty: all; `waiting`, `rejected`. */
  show: string;
  onShow: (show: string) => void;
}

/** The devices, newest first, as they appear. Admins approve and reject them, one by one or several at once. */
export function EnrolledDevices({ devices, totalCount, waitingCount, show, onShow }: EnrolledDevicesProps) {
  const isAdmin = useContext(RoleContext) === 'admin';
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [rejecting, setRejecting] = useState<readonly EnrolledDeviceFragment[]>([]);
  const approve = useAction(ApproveDevice);
  const reject = useAction(RejectDevice);
  const toasts = useToasts();
  // What has left the list is not selected any more.
  const chosen = devices.filter(({ id }) => selected.has(id));

  async function decide(
    which: readonly EnrolledDeviceFragment[],
    { run, done }: { run: (variables: { id: string }) => Promise<unknown>; done: string },
  ) {
    let count = 0;
    for (const { id } of which) {
      if ((await run({ id })) === undefined) break;
      count += 1;
    }
    setSelected(new Set());
    if (count > 0) toasts.show({ text: `${countText(count, 'device')} ${done}` });
  }
  const approveThese = (which: readonly EnrolledDeviceFragment[]) =>
    void decide(which, { run: approve.run, done: 'approved' });

  return (
    <section className="card" aria-labelledby="enrolled">
      <header className="card-head">
        <h2 id="enrolled">Devices</h2>
        <fieldset className="tabs">
          <legend className="visually-hidden">Shown devices</legend>
          {[
            { value: '', name: 'All' },
            { value: 'waiting', name: `Waiting for approval (${waitingCount.toLocaleString('en')})` },
            { value: 'rejected', name: 'Rejected' },
          ].map(({ value, name }) => (
            <button
              key={value}
              type="button"
              className="quiet-button"
              aria-pressed={show === value}
              onClick={() => onShow(value)}
            >
              {name}
            </button>
          ))}
        </fieldset>
      </header>
      {isAdmin && devices.length > 0 && (
        <div className="decide-bar">
          <label>
            <input
              type="checkbox"
              checked={chosen.length === devices.length}
              onChange={({ target }) =>
                setSelected(new Set(target.checked ? devices.map(({ id }) => id) : []))
              }
            />{' '}
            All of this page
          </label>
          <span className="count">{countText(totalCount, 'device')}</span>
          <div className="actions">
            <button
              type="button"
              className="button"
              disabled={chosen.length === 0 || approve.isRunning}
              onClick={() => approveThese(chosen)}
            >
              Approve selected
            </button>
            <button
              type="button"
              className="button"
              data-tone="danger"
              disabled={chosen.length === 0 || reject.isRunning}
              onClick={() => setRejecting(chosen)}
            >
              Reject selected
            </button>
          </div>
        </div>
      )}
      {devices.length === 0 ? (
        <p className="card-note">{EMPTY[show] ?? EMPTY_ALL}</p>
      ) : (
        <table className="list">
          <thead>
            <tr>
              {isAdmin && (
                <th scope="col">
                  <span className="visually-hidden">Selected</span>
                </th>
              )}
              <th scope="col">Device</th>
              <th scope="col">Model</th>
              <th scope="col">Registered</th>
              <th scope="col">Last boot</th>
              <th scope="col">State</th>
              {isAdmin && (
                <th scope="col" className="end">
                  <span className="visually-hidden">Actions</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {devices.map((device) => (
              <EnrolledRow
                key={device.id}
                device={device}
                isAdmin={isAdmin}
                isSelected={selected.has(device.id)}
                onSelect={(isSelected) => setSelected(changed(selected, device.id, isSelected))}
                onApprove={() => approveThese([device])}
                onReject={() => setRejecting([device])}
              />
            ))}
          </tbody>
        </table>
      )}
      <ConfirmDialog
        title={rejecting.length === 1 ? 'Reject this device?' : `Reject ${rejecting.length} devices?`}
        action="Reject"
        isOpen={rejecting.length > 0}
        onClose={() => setRejecting([])}
        onConfirm={() => void decide(rejecting, { run: reject.run, done: 'rejected' })}
      >
        <p>
          Uploads of {rejecting.length === 1 ? 'this device' : 'these devices'} are refused (403) from now on.
          What was sent before stays until the device is deleted. You can approve it later.
        </p>
      </ConfirmDialog>
    </section>
  );
}

const EMPTY_ALL = 'No device yet. It appears here, without a reload, with its first report.';
const EMPTY: Readonly<Record<string, string>> = {
  waiting: 'No device waits for approval.',
  rejected: 'No device was rejected.',
};

function changed(all: ReadonlySet<string>, id: string, isIn: boolean): ReadonlySet<string> {
  const next = new Set(all);
  if (isIn) next.add(id);
  else next.delete(id);
  return next;
}
