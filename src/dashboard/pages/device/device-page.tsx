import { Link, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import { FirstDumpGuide } from '../../parts/first-dump-guide';
import { ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { countText } from '../../parts/sizes';
import { useTitle } from '../../parts/use-title';
import { ForAdmins } from '../../session/role';
import { addressOfList } from '../../shell/list-addresses';
import { DumpTable } from '../dumps/dump-table';
import { NotFoundPage } from '../not-found-page';
import { DeviceActions } from './device-actions';
import { DeviceFacts } from './device-facts';
import { Timeline } from './timeline';

const DeviceByKey = graphql(`
  query DeviceByKey($key: String!, $after: String) {
    device(key: $key) {
      id key name serial hasToken coredumpCount
      ...DeviceFacts ...DeviceToActOn
      model { id code name }
      coredumps(first: 50, after: $after) { nodes { ...DumpInList } pageInfo { hasNextPage endCursor } }
    }
  }
`);

/** One device: its data and its dumps. */
export function DevicePage({ deviceKey }: { deviceKey: string }) {
  const [parameters] = useSearchParams();
  const { data, error } = useLiveQuery(
    DeviceByKey,
    { key: deviceKey, after: parameters.get('after') },
    (change) =>
      change.kind === 'DEVICE' ||
      // The device of a deleted dump is not known.
      (change.kind === 'COREDUMP' && (change.deviceKey === null || change.deviceKey === deviceKey)),
  );
  const device = data?.device;
  useTitle(device?.name ?? deviceKey);

  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  if (device == null) return <NotFoundPage />;
  const { nodes, pageInfo } = device.coredumps;
  return (
    <>
      <nav className="crumbs" aria-label="Where this is">
        <Link href={addressOfList('/devices')}>Devices</Link>
        <span aria-hidden="true">/</span>
        <span>{device.key}</span>
      </nav>
      <header className="page-head">
        <h1>{device.name ?? device.key}</h1>
        <span className="count">
          <span className="mono">{device.key}</span> ·{' '}
          <Link href={`/firmware/${device.model.code}`}>{device.model.name}</Link> ·{' '}
          {countText(device.coredumpCount, 'dump')}
        </span>
        <ForAdmins>
          <DeviceActions device={device} />
        </ForAdmins>
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      <DeviceFacts device={device} />
      <Timeline deviceKey={device.key} modelCode={device.model.code} />
      {nodes.length === 0 ? (
        <FirstDumpGuide device={device} />
      ) : (
        <div className="card">
          <DumpTable dumps={nodes} of="device" />
        </div>
      )}
      <Paging endCursor={pageInfo.endCursor ?? null} hasNextPage={pageInfo.hasNextPage} />
    </>
  );
}
