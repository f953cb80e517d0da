import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { DeviceInListFragment } from '../../generated/graphql';
import { shownState } from '../../parts/parse-state';
import { unitText } from '../../parts/sizes';
import { TextWithCode } from '../../parts/text-with-code';
import { Ago } from '../../parts/time';

graphql(`
  fragment DeviceInList on Device {
    id key serial name createdAt coredumpCount
    model { id code }
    lastCoredump { id uploadedAt parseStatus parseErrorKind report { reason explanation } }
  }
`);

export function DeviceTable({ devices }: { devices: readonly DeviceInListFragment[] }) {
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Device</th>
          <th scope="col">Model</th>
          <th scope="col" className="end">
            Dumps
          </th>
          <th scope="col">Last crash</th>
          <th scope="col" className="end">
            When
          </th>
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => (
          <DeviceRow key={device.id} device={device} />
        ))}
      </tbody>
    </table>
  );
}

function DeviceRow({
  device: { key, serial, name, model, coredumpCount, lastCoredump },
}: {
  device: DeviceInListFragment;
}) {
  return (
    <tr>
      <td className="name-cell">
        <Link href={`/devices/${key}`} data-row className="row-link">
          {name ?? serial ?? key}
        </Link>
        {(name != null || serial != null) && (
          <div className="sub-line mono">
            {name != null && serial != null && `${serial} · `}
            {key}
          </div>
        )}
      </td>
      <td className="mono">{model.code}</td>
      <td className="number" data-unit={unitText(coredumpCount, 'dump')}>
        {coredumpCount}
      </td>
      <td className="text-cell">
        {lastCoredump == null ? (
          <span className="count">none</span>
        ) : (
          <TextWithCode
            text={
              lastCoredump.report?.explanation ?? lastCoredump.report?.reason ?? notReadText(lastCoredump)
            }
          />
        )}
      </td>
      <td className="end">{lastCoredump != null && <Ago at={lastCoredump.uploadedAt} />}</td>
    </tr>
  );
}

function notReadText(dump: NonNullable<DeviceInListFragment['lastCoredump']>): string {
  return shownState(dump) === 'WAITING' ? 'Waiting for its build' : 'Not read';
}
