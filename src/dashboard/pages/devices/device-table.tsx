import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { DeviceInListFragment } from '../../generated/graphql';
import { shownState } from '../../parts/parse-state';
import { unitText } from '../../parts/sizes';
import { SortHead, type Sorting } from '../../parts/sort-head';
import { TextWithCode } from '../../parts/text-with-code';
import { Ago } from '../../parts/time';

graphql(`
  fragment DeviceInList on Device {
    id key serial name createdAt coredumpCount deviceCrashes: crashCount heardOfAt: lastSeenAt lastBootVersion
    model { id code }
    lastCoredump { id uploadedAt parseStatus parseErrorKind report { reason explanation } }
  }
`);

/** @param gone ids of devices that were deleted since they were shown */
export function DeviceTable({
  devices,
  gone = NONE,
  sorting,
}: {
  devices: readonly DeviceInListFragment[];
  gone?: ReadonlySet<string>;
  sorting?: Sorting;
}) {
  return (
    <table className="list">
      <thead>
        <tr>
          <SortHead name="Device" by="name" sorting={sorting} isText />
          <th scope="col">Model</th>
          <SortHead name="Crashes" by="crashes" sorting={sorting} className="end" />
          <th scope="col" className="end wide">
            Dumps
          </th>
          <th scope="col">Last crash</th>
          <SortHead name="When" by="crash" sorting={sorting} className="end" />
          <SortHead name="Last seen" by="seen" sorting={sorting} className="end wide" />
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => (
          <DeviceRow key={device.id} device={device} isGone={gone.has(device.id)} />
        ))}
      </tbody>
    </table>
  );
}

const NONE: ReadonlySet<string> = new Set();

function DeviceRow({
  device: {
    key,
    serial,
    name,
    model,
    coredumpCount,
    lastCoredump,
    deviceCrashes,
    heardOfAt,
    lastBootVersion,
  },
  isGone,
}: {
  device: DeviceInListFragment;
  isGone: boolean;
}) {
  return (
    <tr data-gone={isGone}>
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
      <td className="mono">
        {model.code}
        {lastBootVersion != null && <div className="sub-line">{lastBootVersion}</div>}
      </td>
      <td className="number" data-unit={unitText(deviceCrashes, 'crash', 'crashes')}>
        {deviceCrashes.toLocaleString('en')}
      </td>
      <td className="number wide" data-unit={unitText(coredumpCount, 'dump')}>
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
      <td className="end wide">{heardOfAt != null && <Ago at={heardOfAt} />}</td>
    </tr>
  );
}

function notReadText(dump: NonNullable<DeviceInListFragment['lastCoredump']>): string {
  return shownState(dump) === 'WAITING' ? 'Waiting for its build' : 'Not read';
}
